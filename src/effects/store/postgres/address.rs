//! `postgres://user@host:5432/name`: what is connected to, and how it is named without its password.
#![allow(
    clippy::disallowed_methods,
    reason = "the password may stand in the environment"
)]

use crate::effects::secret::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

/// An address that was understood.
#[derive(Clone)]
pub struct Address {
    pub config: Config,
    pub tls: Option<MakeRustlsConnect>,
    /// `postgres://host:5432/name`, for messages.
    pub place: String,
}

const CONNECT_MAX: Duration = Duration::from_secs(5);
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Whether what is sent is encrypted; then the server has to prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    Never,
    /// But not to a socket or a loopback address.
    ToOthers,
    Always,
}

/// What an address says of TLS, which is understood here.
struct Trust {
    encryption: Encryption,
    /// A file with the certificates of authorities, instead of those of the system.
    roots: Option<String>,
}

/// Errors never hold a part of the text.
pub fn parse(text: &Secret) -> Result<Address, String> {
    let (rest, trust) = take_trust(text.expose())?;
    // Its error could quote a part of a password that was not escaped.
    let mut config: Config = rest.parse().map_err(|_| UNREADABLE.to_owned())?;
    // The rest of a password that holds an `@`.
    let is_odd = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
    if config.get_hosts().iter().any(is_odd) {
        return Err(UNREADABLE.to_owned());
    }
    if config.get_password().is_none()
        && let Ok(password) = std::env::var("PGPASSWORD")
    {
        config.password(password);
    }
    config
        .application_name("deployc")
        .connect_timeout(CONNECT_MAX)
        .tcp_user_timeout(SILENCE_MAX)
        .keepalives_idle(SILENCE_MAX)
        // Of several servers, the one that can be written.
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    let encrypted = match trust.encryption {
        Encryption::Never => false,
        Encryption::Always => true,
        Encryption::ToOthers => !config.get_hosts().iter().all(is_here),
    };
    config.ssl_mode(match encrypted {
        true => SslMode::Require,
        false => SslMode::Disable,
    });
    let tls = encrypted.then(|| tls(trust.roots.as_deref())).transpose()?;
    let place = place(&config);
    Ok(Address { config, tls, place })
}

const UNREADABLE: &str = "it is not an address such as `postgres://user@host:5432/name`; letters such as `@`, `/`, `?`, `#` and `%` in a password are written as `%40`, `%2F`, `%3F`, `%23` and `%25`";

/// Takes `sslmode` and `sslrootcert` out.
fn take_trust(text: &str) -> Result<(String, Trust), String> {
    let mut trust = Trust {
        encryption: Encryption::ToOthers,
        roots: None,
    };
    // A password may hold a `?`.
    let host_at = text.rfind('@').unwrap_or(0);
    let Some((front, query)) = text
        .match_indices('?')
        .find(|(at, _)| *at > host_at)
        .and_then(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)))
    else {
        return Ok((text.to_owned(), trust));
    };
    let mut kept = Vec::new();
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslmode", "disable")) => trust.encryption = Encryption::Never,
            Some(("sslmode", "require" | "verify-ca" | "verify-full")) => {
                trust.encryption = Encryption::Always;
            }
            Some(("sslmode", _)) => {
                return Err(
                    "its `sslmode` is none of `disable`, `require`, `verify-full`: nothing falls back to plain text here"
                        .to_owned(),
                );
            }
            Some(("sslrootcert", file)) => trust.roots = Some(file.replace("%2F", "/")),
            _ => kept.push(part),
        }
    }
    let rest = match kept.is_empty() {
        true => front.to_owned(),
        false => format!("{front}?{}", kept.join("&")),
    };
    Ok((rest, trust))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address: Option<std::net::IpAddr> = name.parse().ok();
            name == "localhost" || address.is_some_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn tls(file: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    match file {
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
        Some(file) => {
            let unreadable = |error| format!("`{file}` cannot be read: {error}");
            for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
                let added = roots.add(certificate.map_err(unreadable)?);
                added.map_err(|error| format!("`{file}`: {error}"))?;
            }
        }
    }
    if roots.is_empty() {
        let why = "there are no certificates of authorities to check the server with; `sslrootcert` names a file of them";
        return Err(why.to_owned());
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn place(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let ports = config.get_ports();
            let port = ports.get(index).or(ports.first()).unwrap_or(&5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(folder) => format!("{}:{port}", folder.display()),
            }
        })
        .collect();
    let name = config.get_dbname().or(config.get_user()).unwrap_or("");
    format!("postgres://{}/{name}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use crate::effects::secret::Secret;
    use crate::effects::store::postgres::address::{UNREADABLE, parse};

    fn place(text: &str) -> (String, bool) {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let address = parse(&Secret::new(text)).unwrap_or_else(|why| panic!("{why}"));
        (address.place, address.tls.is_some())
    }

    #[test]
    fn it_is_named_without_who_and_with_what() {
        let (place, _) = place("postgres://ana:hunter2@127.0.0.1:5433/runs");
        assert_eq!(place, "postgres://127.0.0.1:5433/runs");
        let (odd, _) = self::place("postgres://ana:hun?ter2@127.0.0.1/runs?sslmode=disable");
        assert_eq!(odd, "postgres://127.0.0.1:5432/runs");
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_address_says_otherwise() {
        let is_encrypted = |text: &str| place(text).1;
        assert!(!is_encrypted("postgres://localhost/runs"));
        assert!(!is_encrypted("postgres:///runs?host=/run/postgresql"));
        assert!(!is_encrypted("postgres://db.example/runs?sslmode=disable"));
        let file = std::env::temp_dir().join(format!("deployc-roots-{}.pem", std::process::id()));
        let made = rcgen::generate_simple_self_signed(vec!["db.example".to_owned()]).unwrap();
        std::fs::write(&file, made.cert.pem()).unwrap();
        let roots = format!("sslrootcert={}", file.display());
        assert!(is_encrypted(&format!("postgres://db.example/runs?{roots}")));
        let here = format!("postgres://localhost/runs?sslmode=verify-full&{roots}");
        assert!(is_encrypted(&here));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_is_wrong_with_it_is_said_without_its_text() {
        for text in [
            "postgres://ana:hun@ter2@db/runs",
            "postgres://ana:hun@ter2@db:x/runs",
            "postgres://ana:hun#ter2/@db:99999/runs?x=hunter2",
            "postgres://db/runs?hunter2=1",
        ] {
            let why = parse(&Secret::new(text)).err().unwrap();
            assert_eq!(why, UNREADABLE, "{text}");
        }
        let why = parse(&Secret::new("postgres://ana:hunter2@db/r?sslmode=prefer")).err();
        assert!(why.unwrap().starts_with("its `sslmode` is none of"));
    }
}
