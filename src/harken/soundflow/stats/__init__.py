"""What a data folder holds: in numbers, as timelines, as a page."""
