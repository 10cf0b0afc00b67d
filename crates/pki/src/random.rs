//! Randomness as a parameter, so that a test can replay what a run drew.

use aws_lc_rs::rand::{SecureRandom, SystemRandom as AwsRandom};

/// A source of cryptographically secure random octets.
pub trait Random: Send + Sync {
    /// Fills `buffer` completely.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Random + '_ {
    /// `N` random octets.
    pub fn octets<const N: usize>(&self) -> [u8; N] {
        let mut octets = [0; N];
        self.fill(&mut octets);
        octets
    }
}

/// The operating system's generator, through the cryptographic provider.
#[derive(Debug, Default)]
pub struct SystemRandom(AwsRandom);

impl SystemRandom {
    /// A handle on the process-wide generator.
    pub fn new() -> Self {
        Self(AwsRandom::new())
    }
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // Unwrap safety: the provider only fails where the kernel has no entropy source at all;
        // going on without randomness would be worse than stopping.
        self.0
            .fill(buffer)
            .expect("the operating system gives random octets");
    }
}
