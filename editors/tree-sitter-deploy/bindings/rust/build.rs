//! Compiles the generated parser and the scanner that is written by hand.

fn main() {
    let sources = ["src/parser.c", "src/scanner.c"];
    let mut build = cc::Build::new();
    build.std("c11").include("src").files(sources);
    // Generated code.
    build.flag_if_supported("-Wno-unused-parameter");
    build.flag_if_supported("-Wno-unused-but-set-variable");
    build.compile("tree-sitter-deploy");
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
    }
}
