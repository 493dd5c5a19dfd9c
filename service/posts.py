"""Ends of paths that something is sent to: what takes files, what starts work, what pages do."""

TAKE_FILES = ("/comparisons", "/references", "/compare/files")
"""Their bodies may be as large as uploads are."""

START_WORK = (*TAKE_FILES, "/compare", "/compare/spans")
"""What is posted to them is dear."""

OF_PAGES = ("/login", "/logout", "/compare/files", "/compare/spans", "/references")
"""Paths of pages whose posts change or start something."""
