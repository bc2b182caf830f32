"""The pages of docs/ that repeat what the code says: written from the code, so that there is one text to keep true."""
