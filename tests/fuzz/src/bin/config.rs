//! Configuration files and addresses of all programs: what is accepted is within its
//! documented bounds, and what is refused says why.
#![no_main]

use counterfoil_backend::config::{CACHE_MAX_MIB, CONNECTIONS_MAX, CONNECTIONS_MIN, Config};
use counterfoil_backend::config::{REQUESTS_MAX, TIMEOUT_MAX_S};
use counterfoil_devices::guard::Allowed;
use counterfoil_devices::transport::usbip::Address;
use counterfoil_devices::twin::branch::file::BranchFile;
use counterfoil_tui::shell::args::{Devices, backend_address};
use counterfoil_tui::shell::config::KioskConfig;

fn backend(text: &str) {
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!((1..=CACHE_MAX_MIB).contains(&config.cache_mib));
    let limits = &config.limits;
    assert!((CONNECTIONS_MIN..=CONNECTIONS_MAX).contains(&limits.connections));
    assert!((1..=limits.connections).contains(&limits.connections_per_address));
    assert!((1..=REQUESTS_MAX).contains(&limits.requests));
    assert!(
        limits.event_streams < limits.connections,
        "requests keep a place"
    );
    let waits = [
        limits.header_read_timeout_s,
        limits.body_read_timeout_s,
        limits.request_timeout_s,
        limits.write_timeout_s,
    ];
    assert!(waits.into_iter().all(|s| (1..=TIMEOUT_MAX_S).contains(&s)));
    let workers = &config.workers;
    assert!((1..=16).contains(&workers.pin_threads) && (1..=16).contains(&workers.print_threads));
    assert!(
        workers.argon2().m_kib >= 19_456 && workers.argon2_t >= 2,
        "not below OWASP's floor"
    );
    assert_eq!(limits.limits().connections_max, limits.connections);
}

fn kiosk(text: &str) {
    let config = match KioskConfig::parse(text) {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let settings = config.settings();
    assert!((20..=600).contains(&settings.idle.as_secs()));
    assert!((10..=300).contains(&settings.take.as_secs()));
    assert!((10..=1_800).contains(&settings.staff.as_secs()));
    assert!(config.zone().is_ok() && config.devices != Devices::Twins);
    assert_eq!(backend_address(&config.backend), Ok(config.backend.clone()));
}

/// A branch of twins, and a list of devices.
fn devices(text: &str) {
    if let Err(error) = BranchFile::parse(text) {
        assert!(!error.to_string().is_empty());
    }
    match Allowed::parse(text) {
        Ok(list) => assert_eq!(list.foreign_keyboard(&[]), None, "nothing is plugged in"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(text) = counterfoil_fuzz::text(data) else {
        return;
    };
    backend(text);
    kiosk(text);
    devices(text);
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address), "read back");
    }
    if let Ok(Devices::UsbIp(address)) = text.parse() {
        assert_eq!(
            text.strip_prefix("usbip:").map(str::parse),
            Some(Ok(address))
        );
    }
    if let Ok(host) = backend_address(text) {
        let (name, port) = host.rsplit_once(':').expect("a port");
        assert!(
            !name.is_empty() && port.bytes().all(|b| b.is_ascii_digit()),
            "{host}"
        );
    }
});
