//! A database that is reached over a network: encrypted, and only if it is who it says.

use super::server::{PASSWORD, Server};
use super::{header, tick};
use crate::contract::ask::install_crypto;
use crate::contract::certificate::Authority;
use deployc::effects::secret::Secret;
use deployc::effects::store::postgres::PostgresStore;
use deployc::journal::store::Store;
use deployc::journal::writer::{read, take_over};
use std::path::PathBuf;

#[test]
fn over_tls_a_server_has_to_prove_who_it_is_and_nothing_falls_back_to_plain_text() {
    install_crypto();
    let server = Server::start();
    let (known, other) = (Authority::new(), Authority::new());
    let url = |trust: &str| Secret::new(format!("{}?{trust}", server.url_by(server.port)));
    let verified = |roots: PathBuf| {
        url(&format!(
            "sslmode=verify-full&sslrootcert={}",
            roots.display()
        ))
    };
    let by_known = verified(known.file("store-known"));
    let by_other = verified(other.file("store-other"));
    let refused = |url: &Secret| {
        let error = PostgresStore::open(url).err().expect("it was trusted");
        let words = format!("{error} {error:?}");
        assert!(!words.contains(PASSWORD), "{words}");
        words
    };

    // It speaks no TLS yet.
    refused(&by_known);

    server.encrypt(&known.pem("127.0.0.1"));
    let mut store = PostgresStore::open(&by_known).unwrap();
    store.create(&header("a")).unwrap();
    let journal = read(&store, "a").unwrap();
    let mut writer = take_over(&mut store, &journal).unwrap();
    writer.append(&mut store, &tick(1), None).unwrap();
    assert_eq!(read(&store, "a").unwrap().events.len(), 1);
    let encrypted = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                     WHERE a.application_name = 'deployc'";
    assert_eq!(server.psql(encrypted), "t");

    let words = refused(&by_other);
    assert!(words.contains("invalid peer certificate"), "{words}");
    refused(&url("sslmode=disable"));

    server.encrypt(&known.pem("db.example"));
    let words = refused(&by_known);
    assert!(words.contains("not valid for"), "{words}");
}
