//! Transport: what the error of a connection says, and whether the request can have reached the server.

use crate::effects::kubernetes::failure::{ApiError, failure};
use crate::providers::request::FailureKind;
use rustls::AlertDescription;
use std::error::Error;
use std::io;

/// `asked` is the request in words, `GET /api/v1/pods`.
pub fn of_request(address: &str, asked: &str, error: &kube::Error) -> ApiError {
    let chain: Vec<&(dyn Error + 'static)> = chain(error).collect();
    if let Some(words) = chain.iter().find_map(|error| certificate(*error)) {
        let message = format!("{address}: {words}");
        return ApiError::Unsent(failure(FailureKind::Unreachable, message));
    }
    let io = chain
        .iter()
        .find_map(|error| error.downcast_ref::<io::Error>());
    if let Some(words) = io.and_then(unreached) {
        let message = format!("cannot reach {address}: {words}");
        return ApiError::Unsent(failure(FailureKind::Unreachable, message));
    }
    if let kube::Error::Auth(error) = error {
        let message = format!("no credentials for {address}: {error}");
        return ApiError::Unsent(failure(FailureKind::Denied, message));
    }
    let last = chain
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    // A host that is not found is an error of its own kind in some resolvers, and has no other mark.
    if chain
        .iter()
        .any(|error| error.to_string().starts_with("dns error"))
    {
        let message = format!("cannot reach {address}: {last}");
        return ApiError::Unsent(failure(FailureKind::Unreachable, message));
    }
    let message = format!("{address} gave no whole answer to {asked}: {last}");
    ApiError::Unclear(failure(FailureKind::Unreachable, message))
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), inner)
}

fn inner<'e>(error: &&'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let error: &'e (dyn Error + 'static) = *error;
    // An `io::Error` hides the error that it carries behind `get_ref`.
    let carried = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match carried {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

fn unreached(error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("connection refused".to_owned()),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some("there is no way to this address".to_owned())
        }
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::NotFound => Some(error.to_string()),
        _ => None,
    }
}

/// A handshake that failed: no request was read by the other side.
fn certificate(error: &(dyn Error + 'static)) -> Option<String> {
    use AlertDescription as Alert;
    match error.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(reason) => Some(format!(
            "the certificate of the API server is not valid: {reason}"
        )),
        rustls::Error::AlertReceived(
            alert @ (Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::CertificateRequired
            | Alert::CertificateUnknown
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::HandshakeFailure
            | Alert::ProtocolVersion
            | Alert::AccessDenied),
        ) => Some(format!(
            "the API server refuses the certificate of the client: {alert:?}"
        )),
        _ => None,
    }
}
