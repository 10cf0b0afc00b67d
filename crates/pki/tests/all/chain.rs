//! Chains are ordered whatever order they come in, and broken ones are refused.

use pki::certificate::Certificate;
use pki::chain::{ChainError, order_chain};
use pki::key::{KeyAlgorithm, SigningKey};

use crate::fixture::{Authority, new_key, server_content};

fn chain() -> [Certificate; 3] {
    let root = Authority::root(KeyAlgorithm::EcP384);
    let issuing = Authority::below(&root, KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let leaf = issuing.issue(&server_content(key.public_key()));
    [leaf, issuing.certificate, root.certificate]
}

#[test]
fn a_chain_in_any_order_becomes_leaf_first() {
    let [leaf, issuing, root] = chain();
    let expected = vec![leaf.clone(), issuing.clone(), root.clone()];
    for order in [
        [&leaf, &issuing, &root],
        [&root, &issuing, &leaf],
        [&issuing, &root, &leaf],
    ] {
        let mixed = order.into_iter().cloned().collect();
        assert_eq!(order_chain(mixed).unwrap(), expected);
    }
}

#[test]
fn duplicates_are_dropped_and_a_missing_root_does_not_matter() {
    let [leaf, issuing, _] = chain();
    let mixed = vec![issuing.clone(), leaf.clone(), issuing.clone()];
    assert_eq!(order_chain(mixed).unwrap(), [leaf, issuing]);
}

#[test]
fn a_root_alone_is_a_chain() {
    let [_, _, root] = chain();
    assert_eq!(order_chain(vec![root.clone()]).unwrap(), [root]);
}

#[test]
fn certificates_that_do_not_belong_together_are_refused() {
    let [leaf, issuing, _] = chain();
    let [_, _, other_root] = chain();
    let result = order_chain(vec![leaf.clone(), issuing.clone(), other_root]);
    assert!(matches!(result, Err(ChainError::Broken { .. })));
    let [other_leaf, ..] = chain();
    assert_eq!(
        order_chain(vec![leaf, issuing, other_leaf]),
        Err(ChainError::Leaf(2))
    );
    assert_eq!(order_chain(vec![]), Err(ChainError::Empty));
}

#[test]
fn a_certificate_that_is_no_ca_is_no_issuer() {
    let root = Authority::root(KeyAlgorithm::EcP256);
    let middle_key = new_key(KeyAlgorithm::EcP256);
    let mut content = server_content(middle_key.public_key());
    content.subject = "CN=www.example.org".parse().unwrap();
    let middle = Authority {
        certificate: root.issue(&content),
        key: middle_key,
    };
    let leaf_key = new_key(KeyAlgorithm::EcP256);
    let leaf = middle.issue(&server_content(leaf_key.public_key()));
    let result = order_chain(vec![leaf, middle.certificate, root.certificate]);
    assert!(matches!(result, Err(ChainError::Broken { .. })));
}
