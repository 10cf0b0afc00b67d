//! What hostile or broken peers send.

use proptest::prelude::*;

use super::reply::{Asked, Reply};

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
        let _ = Reply::read(&octets, Asked::First);
        let _ = Reply::read(&octets, Asked::Ticket);
    }
}
