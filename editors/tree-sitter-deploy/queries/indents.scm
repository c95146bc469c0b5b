[(block) (map) (list) (arguments) (parenthesized)] @indent.begin
["}" "]" ")"] @indent.end @indent.branch
