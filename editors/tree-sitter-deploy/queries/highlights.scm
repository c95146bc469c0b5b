; Names. Later patterns win.

(identifier) @variable
(access field: (identifier) @property)
(entry key: (identifier) @property)
(labelled label: (identifier) @property)
(call function: (identifier) @function.call)
(call function: (access field: (identifier) @function.method.call))
(parameter name: (identifier) @variable.parameter)
(define name: (identifier) @function)
(type name: (identifier) @type)
(provider kind: (identifier) @type)
(rule label: (identifier) @label)
(reference) @string.special.symbol

; Words of the language

[
  "deploy" "plan" "input" "place" "order" "phase" "at" "start" "watch" "rollback" "during" "on" "success" "rolled_back"
  "rollback_incomplete" "define" "threshold" "metric" "absent" "as" "lower" "higher" "is" "better" "role" "provider"
  "scenario" "ref" "within" "timeout" "expires" "for" "window" "pods" "owner" "file" "keep" "irreversible" "after" "by"
  "of" "undo" "fail" "error" "inconclusive" "no" "data" "then" "stop" "warn" "pause" "extend" "up" "to" "section" "check"
  "verify" "expect" "step" "canary" "stage" "confirm" "approve" "hold" "every" "notify" "parallel" "in" "let" "when"
  "always" "deadline" "samples" "windows" "confidence" "zone" "like" "sample" "approves" "rejects" "confirms" "declines"
  "aborts" "secret" "env" "worse" "than" "near"
  "test" "kill" "concurrent" "runs" "reject" "queue" "replace" "freeze" "before" "fails" "applying" "down" "silent" "unknown"
  "invariant" "stays" "met" "unmet" "blind" "nonsense" "unreachable" "refused" "late" "foreign" "forged" "doubled"
  "skipped" "lost"
  "a" "row" "total" "last"
] @keyword
(at_most_once) @keyword
(by "all" @keyword)
(aggregate ["any" "all" "max" "min" "sum" "avg" "count"] @keyword.operator)
["and" "or" "not"] @keyword.operator

; Values

[(number) (unit) (moment) (version_number)] @number
(boolean) @boolean
"\"" @string
[(string_content) (raw_string)] @string
(escape) @string.escape
(interpolation ["${" "}"] @punctuation.special)
(comment) @comment

; Signs

["==" "!=" "<=" ">=" "+" "-" "*" "/" "=" "->" "=>" ".." "±"] @operator
(binary_expression operator: ["<" ">"] @operator)
(type ["<" ">"] @punctuation.bracket)
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ":" "."] @punctuation.delimiter
