[(block) (map) (list) (arguments)] @fold
