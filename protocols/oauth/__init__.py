"""OAuth 2.0 as an authorization server says it: what requests mean and what is refused; pure, no storage, no clock."""
