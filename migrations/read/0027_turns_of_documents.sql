-- Where more documents wait than a round takes, shops take turns (decision 0044): the oldest document of each is found by this.
CREATE INDEX document_outbox_by_shop ON document_outbox (tenant_id, doc_version);

-- How far the active index is, is told several times a second: room in the page keeps that from growing the table.
ALTER TABLE generation_copies SET (fillfactor = 20);
