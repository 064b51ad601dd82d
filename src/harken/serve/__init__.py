"""`harken serve`: sessions over websockets, many in one process, and the page."""
