module deployc.dev/tests/cluster/supervisor

go 1.24.0
