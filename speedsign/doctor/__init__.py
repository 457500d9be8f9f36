"""Is the machine well? Facts are gathered at the edge, and judged by pure functions, one module a topic."""
