"""The dataflow: sources, the graph, sinks and the command line; the only package that imports Bytewax."""
