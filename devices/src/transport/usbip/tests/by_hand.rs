//! The client against a server that is played by hand.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::protocol::{BUSID_LEN, Exported, HEAD_LEN, Head, OP_LEN, Op};
use super::*;

/// Descriptors laid out from USB 2.0 §9.6: one vendor interface without endpoints,
/// in a configuration that calls itself 3.
const DEVICE: [u8; 18] = [
    18, 1, 0, 2, 0xff, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1,
];
const CONFIGURATION: [u8; 18] = [9, 2, 18, 0, 1, 3, 0, 0x80, 50, 9, 4, 0, 0, 0, 0xff, 0, 0, 0];

/// Serves one import; SETUP packets are written down.
struct ByHand(Rc<RefCell<Vec<[u8; 8]>>>);

impl Connect for ByHand {
    type Stream = DuplexStream;

    async fn connect(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(4096);
        let setups = Rc::clone(&self.0);
        tokio::task::spawn_local(async move {
            serve(theirs, &setups).await.ok();
        });
        Ok(ours)
    }
}

async fn serve(mut far: DuplexStream, setups: &RefCell<Vec<[u8; 8]>>) -> io::Result<()> {
    let mut import = [0; OP_LEN + BUSID_LEN];
    far.read_exact(&mut import).await?;
    let device = Exported {
        busid: "1-1".into(),
        bus: 1,
        device: 2,
        speed: 2,
        vendor: 0x1209,
        product: 1,
        release: 0x0100,
        class: 0xff,
        interfaces: Vec::new(),
        interface_count: 1,
    };
    let reply = [&Op::ReplyImport.encode(0)[..], &device.encode()].concat();
    far.write_all(&reply).await?;
    loop {
        let mut head = [0; HEAD_LEN];
        far.read_exact(&mut head).await?;
        let Ok(Head::Submit { seq, setup, .. }) = Head::decode(&head) else {
            continue;
        };
        setups.borrow_mut().push(setup);
        let data: &[u8] = match setup[..4] {
            [0x80, 6, 0, 1] => &DEVICE,
            [0x80, 6, 0, 2] => &CONFIGURATION,
            _ => &[],
        };
        let returned = Head::Returned {
            seq,
            status: 0,
            actual: data.len(),
        };
        far.write_all(&[returned.encode().as_slice(), data].concat())
            .await?;
    }
}

#[test]
fn a_configuration_is_selected_by_the_value_it_has() {
    run(true, |_, clock| async move {
        let setups = Rc::default();
        let far = UsbIpBus::new(ByHand(Rc::clone(&setups)), clock);
        let usb = far.open("1-1").await.expect("opens");
        assert_eq!(usb.info().interfaces.len(), 1);
        // SET_CONFIGURATION 3 (§9.4.7).
        assert_eq!(setups.borrow().last(), Some(&[0, 9, 3, 0, 0, 0, 0, 0]));
    });
}
