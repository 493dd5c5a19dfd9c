"""What people see on a terminal: words, tables and progress."""
