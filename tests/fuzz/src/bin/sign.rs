//! Request signatures (S1): what was signed verifies, as long as every part is plain
//! ASCII; nothing else does, and headers of strangers are refused in words.
#![no_main]

use counterfoil_data::sign::{self, HEADER_MAX, RequestParts, SKEW_S_MAX, SignatureHeaders};
use counterfoil_data::sign::{SignError, SigningIdentity};
use counterfoil_data::wire::Digest;
use counterfoil_fuzz::Bytes;
use jiff::Timestamp;

fn plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii() && !b.is_ascii_control())
}

fn ours(from: &mut Bytes<'_>) {
    let signer = "kiosk:kiosk-1".parse().expect("an id");
    let identity = SigningIdentity::new(&signer, &[5; 32]);
    let public = identity.key.verifying_key();
    let created = i64::try_from(from.below(1 << 32)).expect("fits");
    let created = Timestamp::from_second(created).expect("in range");
    let (method, path) = (from.words(), from.words());
    let key = (from.byte() % 2 == 0).then(|| from.words());
    let parts = RequestParts {
        method: &method,
        path_and_query: &path,
        body_digest: Digest(from.array()),
        sequence: u64::from_le_bytes(from.array()),
        idempotency_key: key.as_deref(),
        session: None,
    };
    let headers = sign::sign(&parts, &identity, created, from.array());
    assert!(headers.signature_input.len() <= HEADER_MAX);
    let lookup = |id: &str| (id == "kiosk:kiosk-1").then_some(public);
    let check = |parts: &RequestParts<'_>, headers: &SignatureHeaders| {
        sign::verify(parts, headers, lookup, created, SKEW_S_MAX)
    };
    let sound = [Some(method.as_str()), Some(path.as_str()), key.as_deref()];
    let sound = sound.into_iter().flatten().all(plain);
    assert_eq!(
        check(&parts, &headers).is_ok(),
        sound,
        "plain parts verify, others never"
    );
    assert_eq!(
        sign::claimed_digest(&headers.content_digest),
        Ok(parts.body_digest)
    );
    let late = created + jiff::SignedDuration::from_secs(i64::from(SKEW_S_MAX) + 1);
    let later = sign::verify(&parts, &headers, lookup, late, SKEW_S_MAX);
    assert!(matches!(later, Err(SignError::Skew { .. })));
    let nobody = sign::verify(&parts, &headers, |_| None, created, SKEW_S_MAX);
    assert_eq!(nobody.err(), Some(SignError::UnknownKey));

    let other = RequestParts {
        sequence: parts.sequence ^ 1,
        ..parts
    };
    assert!(check(&other, &headers).is_err());
    let other_key = from.words();
    let other = RequestParts {
        idempotency_key: Some(&other_key),
        ..parts
    };
    assert!(
        other == parts || check(&other, &headers).is_err(),
        "another key"
    );
    let other_path = from.words();
    let other = RequestParts {
        path_and_query: &other_path,
        ..parts
    };
    assert!(
        other == parts || check(&other, &headers).is_err(),
        "another path"
    );
    let other_input = from.words();
    let bent = SignatureHeaders {
        signature_input: other_input,
        ..headers.clone()
    };
    assert!(
        bent == headers || check(&parts, &bent).is_err(),
        "another input"
    );
    let mut input = headers.signature_input.clone().into_bytes();
    let at = usize::from(from.byte()) % input.len();
    input[at] = from.byte();
    if let Ok(signature_input) = String::from_utf8(input) {
        let bent = SignatureHeaders {
            signature_input,
            ..headers.clone()
        };
        assert!(
            bent == headers || check(&parts, &bent).is_err(),
            "one byte changed"
        );
    }
}

/// Headers as they come: three lines.
fn theirs(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let headers = SignatureHeaders {
        signature_input: line(),
        signature: line(),
        content_digest: line(),
    };
    let claimed = sign::claimed_digest(&headers.content_digest);
    if let Ok(digest) = claimed {
        assert_eq!(
            sign::content_digest(&digest),
            headers.content_digest,
            "one form"
        );
    }
    let parts = RequestParts {
        method: "GET",
        path_and_query: "/v1/kiosk",
        body_digest: claimed.unwrap_or(Digest([0; 32])),
        sequence: 1,
        idempotency_key: None,
        session: None,
    };
    let key = SigningIdentity::new(&"kiosk:kiosk-2".parse().expect("an id"), &[6; 32]);
    let key = key.key.verifying_key();
    let now = Timestamp::from_second(1_764_000_000).expect("in range");
    let verified = sign::verify(&parts, &headers, |_| Some(key), now, u32::MAX);
    let error = verified.expect_err("nobody signs by chance");
    assert!(
        error.to_string().len() < 200,
        "says what is wrong, not what was sent"
    );
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    if from.byte() % 2 == 0 {
        ours(&mut from);
    } else if let Some(text) = counterfoil_fuzz::text(from.0) {
        theirs(text);
    }
    if let Some(text) = counterfoil_fuzz::text(data) {
        let base = sign::signature_base(&[("idempotency-key", text)], "()");
        assert_eq!(base.is_some(), plain(text));
        if let Some(base) = base {
            assert_eq!(base.lines().count(), 2, "a value stays in its line");
        }
    }
});
