use super::*;

const NOW: &str = "2026-11-23T02:00:00Z";
/// `openssl req -new` (3.0) over a key on P-256, for the subject `CN=x`.
const OPENSSL: &str = include_str!("openssl-request.pem");

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn authority() -> Authority {
    Authority::create("Bank CA", &[1; 32], [2; SERIAL_LEN], 1, now()).expect("made")
}

fn request(holder: &str) -> String {
    let pem = certificate::key_pem(&[3; 32]).expect("PEM");
    let key = certificate::key(pem.expose()).expect("a key");
    certificate::request(&key, holder).expect("a request")
}

fn kiosk() -> Holder {
    Holder::Signer("kiosk:kiosk-1".parse().expect("a signer"))
}

fn issue(request: &str, holder: &Holder, days: u32, at: Timestamp) -> Result<Issued, CaError> {
    authority().issue(request, holder, days, at, [4; SERIAL_LEN])
}

#[test]
fn what_is_issued_names_the_holder_and_ends_in_time() {
    let issued = issue(&request("kiosk:kiosk-1"), &kiosk(), 30, now()).expect("issues");
    let certificate = Certificate::from_pem(&issued.pem).expect("PEM");
    let facts = certificate::facts(&certificate.to_der().expect("DER")).expect("facts");
    assert_eq!(facts.signer.expect("one").to_string(), "kiosk:kiosk-1");
    assert_eq!(
        (facts.serial, facts.not_after),
        (issued.serial, issued.not_after)
    );
    assert_eq!(issued.not_after.to_string(), "2026-12-23T02:00:00Z");
    assert_eq!(facts.not_before.to_string(), "2026-11-23T01:55:00Z");
    let own = Certificate::from_pem(authority().certificate_pem().expect("PEM"));
    let public = own.expect("PEM");
    let public = public.tbs_certificate().subject_public_key_info().clone();
    assert!(signed::holds(&certificate.to_der().expect("DER"), &public));
}

#[test]
fn a_life_of_no_day_of_too_many_or_beyond_the_authoritys_is_refused() {
    for days in [0, DAYS_MAX + 1] {
        let error = issue(&request("kiosk:kiosk-1"), &kiosk(), days, now());
        assert!(matches!(error, Err(CaError::Days { .. })), "{days}");
    }
    let late: Timestamp = "2027-11-01T00:00:00Z".parse().expect("a time");
    let error = issue(&request("kiosk:kiosk-1"), &kiosk(), 30, late);
    assert!(matches!(error, Err(CaError::Outlives(_))));
}

#[test]
fn a_request_of_somebody_else_or_under_another_key_is_refused() {
    let error = issue(&request("kiosk:kiosk-2"), &kiosk(), 30, now()).expect_err("another's");
    assert!(error.to_string().contains("kiosk:kiosk-2"), "{error}");
    // One bit of the signature, which is last in the request.
    let honest = CertReq::from_pem(request("kiosk:kiosk-1")).expect("PEM");
    let mut der = honest.to_der().expect("DER");
    *der.last_mut().expect("bytes") ^= 1;
    let bent = CertReq::from_der(&der)
        .expect("DER")
        .to_pem(LineEnding::LF)
        .expect("PEM");
    let error = issue(&bent, &kiosk(), 30, now());
    assert!(matches!(error, Err(CaError::RequestSignature)));
    assert!(matches!(
        issue("x", &kiosk(), 30, now()),
        Err(CaError::Request)
    ));
}

#[test]
fn a_request_that_another_program_made_is_answered_with_our_names() {
    let issued = issue(OPENSSL, &kiosk(), 30, now()).expect("issues");
    let certificate = Certificate::from_pem(&issued.pem).expect("PEM");
    let facts = certificate::facts(&certificate.to_der().expect("DER")).expect("facts");
    assert_eq!(facts.signer.expect("one").to_string(), "kiosk:kiosk-1");
}

#[test]
fn a_server_is_a_name_or_an_address_and_no_client() {
    for name in ["backend.bank.example", "192.0.2.7", "2001:db8::7"] {
        let holder = Holder::Server(name.to_owned());
        let issued = issue(&request(name), &holder, 30, now()).expect("issues");
        let certificate = Certificate::from_pem(&issued.pem).expect("PEM");
        let facts = certificate::facts(&certificate.to_der().expect("DER")).expect("facts");
        assert_eq!(facts.signer, None, "{name}");
    }
    let holder = Holder::Server("not a name".to_owned());
    let error = issue(&request("x"), &holder, 30, now());
    assert!(matches!(error, Err(CaError::ServerName)));
}

#[test]
fn a_list_grows_keeps_what_may_still_be_shown_and_is_its_authoritys_alone() {
    let authority = authority();
    let list = |before: Option<&str>, revoke: &[&str], keep: &dyn Fn(&str) -> bool| {
        let revoke: Vec<String> = revoke.iter().map(|s| (*s).to_owned()).collect();
        authority.crl(before, &revoke, keep, now()).expect("a list")
    };
    let read = |pem: &str| {
        let (revoked, number) = authority.read_crl(pem).expect("its own");
        let serials: Vec<_> = revoked
            .iter()
            .map(|r| serial_hex(&r.serial_number))
            .collect();
        (serials, number)
    };
    let all = |_: &str| true;
    let first = list(None, &[], &all);
    assert_eq!(read(&first), (vec![], 1));
    let second = list(Some(&first), &["4a", "4b", "4a"], &all);
    assert_eq!(read(&second), (vec!["4a".to_owned(), "4b".to_owned()], 2));
    let third = list(Some(&second), &["4c"], &|serial| serial != "4a");
    assert_eq!(read(&third), (vec!["4b".to_owned(), "4c".to_owned()], 3));
    let other = Authority::create("Bank CA", &[9; 32], [2; SERIAL_LEN], 1, now()).expect("made");
    assert!(matches!(
        other.crl(Some(&first), &[], all, now()),
        Err(CaError::Crl)
    ));
}

#[test]
fn key_and_certificate_that_do_not_belong_together_are_no_authority() {
    let certificate = authority().certificate_pem().expect("PEM");
    let key = |seed| certificate::key_pem(&[seed; 32]).expect("PEM");
    assert!(Authority::from_pem(&certificate, key(1).expose()).is_ok());
    let error = Authority::from_pem(&certificate, key(2).expose());
    assert!(matches!(error, Err(CaError::Mismatch)));
}
