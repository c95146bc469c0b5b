//! Any bytes are a plan, or have diagnostics; nothing panics, and every diagnostic can be shown.

#![no_main]
#![allow(
    clippy::disallowed_methods,
    reason = "the macro of the fuzzer touches files"
)]

use deployc::analyze::compile::{Content, SourceBytes, compile_bytes};
use deployc::analyze::files::InMemory;
use deployc::diagnostics::render::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let found = SourceBytes {
        name: "fuzz.deploy".to_owned(),
        content: Content::Bytes(bytes.to_vec()),
    };
    let compiled = compile_bytes(vec![found], &InMemory::default());
    assert!(compiled.plan.is_none() || !compiled.has_errors());
    for diagnostic in &compiled.diagnostics {
        assert!(!json::render(diagnostic, &compiled.sources).is_empty());
    }
});
