"""PostgreSQL and PostGIS: sessions, tables and subqueries, the order of pages, and how long rows are."""
