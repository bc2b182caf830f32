-- Until when a process of the node has the first delivery of a lane in hand, by the clock of the database.
ALTER TABLE webhook_lanes ADD COLUMN leased_until INTEGER NOT NULL DEFAULT 0;
