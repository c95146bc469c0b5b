//! Until when a certificate is good: just enough DER for that.

use crate::values::Instant;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of the first certificate of a PEM text.
pub fn expires(pem: &[u8]) -> Option<Instant> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    let (_, body, _) = element(certificate.as_ref()).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut fields, _) = element(body)?;
    // version (optional), serial number, signature, issuer
    if fields.first() == Some(&VERSION) {
        (_, _, fields) = element(fields)?;
    }
    for _ in 0..3 {
        (_, _, fields) = element(fields)?;
    }
    let (_, validity, _) = element(fields).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, _, after) = element(validity)?;
    let (tag, text, _) = element(after)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// The first element of some DER: tag, content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            let length = bytes
                .iter()
                .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `260121063000Z`, `20260121063000Z`
fn time(tag: u8, text: &str) -> Option<Instant> {
    let digits = text.strip_suffix('Z')?;
    let digits = match tag {
        // Two digits of the year: RFC 5280 puts 50 to 99 into the last century.
        UTC_TIME if digits.get(..2)?.parse::<u8>().ok()? < 50 => format!("20{digits}"),
        UTC_TIME => format!("19{digits}"),
        GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    let date = DateTime::strptime("%Y%m%d%H%M%S", &digits).ok()?;
    let stamp = TimeZone::UTC.to_zoned(date).ok()?.timestamp();
    i64::try_from(stamp.as_nanosecond()).ok().map(Instant)
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::certificate::{expires, time};
    use crate::values::show;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let key = KeyPair::generate().unwrap();
        for (year, shown) in [
            (2031, "2031-02-03 00:00:00Z"),
            (2077, "2077-02-03 00:00:00Z"),
        ] {
            let mut params = CertificateParams::new(vec!["x".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 2, 3);
            let certificate = params.self_signed(&key).unwrap();
            let found = expires(certificate.pem().as_bytes()).unwrap();
            assert_eq!(show::instant(found), shown);
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        assert_eq!(expires(b""), None);
        assert_eq!(
            expires(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
            None
        );
        assert_eq!(time(0x17, "260121063000"), None);
        assert_eq!(time(0x17, "269921063000Z"), None);
    }
}
