use data_encoding::HEXLOWER;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.replace(' ', "").as_bytes()).unwrap()
}

#[test]
fn the_examples_of_rfc_3962_are_met() {
    let salt = b"ATHENA.MIT.EDUraeburn";
    for (iterations, key) in [
        (
            1,
            "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161",
        ),
        (
            2,
            "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff",
        ),
        (
            1200,
            "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a",
        ),
    ] {
        let often = NonZeroU32::new(iterations).unwrap();
        let found = Key::of_password(EncryptionType::Sha1, b"password", salt, often).unwrap();
        assert_eq!(found.octets[..], hex(key), "{iterations}");
    }
}

#[test]
fn the_examples_of_rfc_8009_are_met() {
    let salt = [
        &hex("10df9dd783e5bc8acea1730e74355f61"),
        b"ATHENA.MIT.EDUraeburn".as_slice(),
    ];
    let often = EncryptionType::Sha384.iterations(None).unwrap();
    let found = Key::of_password(EncryptionType::Sha384, b"password", &salt.concat(), often);
    let wanted = "45bd806dbf6a833a9cffc1c94589a222367a79bc21c413718906e9f578a78467";
    assert_eq!(found.unwrap().octets[..], hex(wanted));

    let base = "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52";
    let base = Key::new(EncryptionType::Sha384, &hex(base)).unwrap();
    for (purpose, length, wanted) in [
        (
            CHECKSUM,
            24,
            "ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d",
        ),
        (
            ENCRYPTION,
            32,
            "56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49",
        ),
        (
            INTEGRITY,
            24,
            "69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f",
        ),
    ] {
        let derived = base.derived(&[0, 0, 0, 2, purpose], length).unwrap();
        assert_eq!(HEXLOWER.encode(&derived), wanted);
    }
}

#[test]
fn what_was_encrypted_opens_for_the_same_key_and_purpose_only() {
    for kind in EncryptionType::ALL {
        let (key, other) = (
            Key::new(kind, &[1; 32]).unwrap(),
            Key::new(kind, &[2; 32]).unwrap(),
        );
        for length in 0..40 {
            let plaintext = vec![5; length];
            let sealed = key
                .encrypt(Usage::Timestamp, &plaintext, [3; BLOCK])
                .unwrap();
            let opened = key.decrypt(Usage::Timestamp, &sealed).unwrap();
            assert_eq!(*opened, plaintext);
            assert!(other.decrypt(Usage::Timestamp, &sealed).is_err());
            assert!(key.decrypt(Usage::FirstReply, &sealed).is_err());
            for end in 0..sealed.len() {
                assert!(key.decrypt(Usage::Timestamp, &sealed[..end]).is_err());
            }
        }
    }
}

#[test]
fn a_password_is_stretched_neither_too_little_nor_without_end() {
    for (kind, usual) in EncryptionType::ALL.into_iter().zip([32768, 4096]) {
        let often = |told| kind.iterations(told).map(NonZeroU32::get);
        assert_eq!(often(None), Some(usual));
        assert_eq!(often(Some(usual)), Some(usual));
        assert_eq!(often(Some(MAX_ITERATIONS)), Some(MAX_ITERATIONS));
        for told in [0, 1, usual - 1, MAX_ITERATIONS + 1, u32::MAX] {
            assert_eq!(often(Some(told)), None, "{told}");
        }
    }
}
