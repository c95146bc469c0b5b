; prom.query(`…`) is PromQL.
((call
  function: (access field: (identifier) @_name)
  arguments: (arguments (raw_string (raw_content) @injection.content)))
 (#eq? @_name "query")
 (#set! injection.language "promql"))
