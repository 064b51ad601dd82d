"""Public corpora in the layout they have on disk, as one stream of typed records.

`reading.read_corpus(name, folder)` is the way in; `table.READERS` lists what can be read.
"""
