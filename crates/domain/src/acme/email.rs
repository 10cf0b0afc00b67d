//! Control of a mailbox, shown by a reply to a mail (email-reply-00, RFC 8823): the nouns, what makes a
//! reply one that counts, and the port to whoever carries mail.

use async_trait::async_trait;
use pki::time::Timestamp;

use crate::id::AuthorizationId;
use crate::identifier::Mailbox;

/// A mail that was sent, or is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailChallenge {
    pub authorization: AuthorizationId,
    /// `token-part1`, which only the mail has; `token-part2` is the authorization's token.
    pub token: String,
    /// With its angle brackets.
    pub message_id: String,
    pub sent_at: Option<Timestamp>,
    /// What the reply said that was believed.
    pub digest: Option<String>,
    pub replied_at: Option<Timestamp>,
}

/// What is to be sent (RFC 8823 section 3.1).
#[derive(Clone, Debug)]
pub struct ChallengeMail {
    pub to: Mailbox,
    pub token: String,
    pub message_id: String,
    pub at: Timestamp,
}

/// A mail that came in, as far as it matters.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its number in the mailbox.
    pub number: u32,
    /// Read, or why nothing of it is.
    pub reply: Result<Reply, String>,
}

/// A mail that may be a reply to a challenge.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The one address in `From`.
    pub from: Option<Mailbox>,
    /// What follows `ACME:` in the subject.
    pub token: Option<String>,
    /// The messages that it says it answers.
    pub answers: Vec<String>,
    /// Whether a program says that it wrote it by itself (RFC 3834), and not for ACME.
    pub is_automatic: bool,
    /// Between the lines that begin and end an ACME response.
    pub digest: Result<String, String>,
    /// Whether the domain in `From` signed it, or why that is not so.
    pub signed: Result<(), SignatureFault>,
}

/// Why a mail's signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// Nobody who signed it can be believed.
    #[error("{0}")]
    Unsigned(String),
    /// The key could not be looked up now.
    #[error("{0}")]
    Unavailable(String),
}

/// What a reply has to be beside right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyRules {
    /// Whether the domain of the sender has to have signed it (RFC 8823 section 3.2).
    pub require_dkim: bool,
}

/// Why a mail is no reply that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyFault {
    #[error("it was written by a program that answers by itself, such as an absence notice")]
    Automatic,
    #[error("it does not come from {0} alone, whose control is to be shown")]
    Sender(Mailbox),
    #[error("it does not say that it answers the challenge's mail: reply to that mail itself")]
    Unrelated,
    #[error("no signature of the sender's domain (DKIM) vouches for it: {0}")]
    Unsigned(String),
    #[error("{0}")]
    Content(String),
}

impl Reply {
    /// The digest of a reply that this mailbox sent to this mail, as far as can be told; whether the
    /// digest is the right one is another question.
    pub fn believed(
        &self,
        mailbox: &Mailbox,
        challenge: &EmailChallenge,
        rules: ReplyRules,
    ) -> Result<&str, ReplyFault> {
        if self.is_automatic {
            return Err(ReplyFault::Automatic);
        }
        if self.from.as_ref() != Some(mailbox) {
            return Err(ReplyFault::Sender(mailbox.clone()));
        }
        if !self.answers.contains(&challenge.message_id) {
            return Err(ReplyFault::Unrelated);
        }
        match &self.signed {
            Err(fault) if rules.require_dkim => {
                return Err(ReplyFault::Unsigned(fault.to_string()));
            }
            Ok(()) | Err(_) => {}
        }
        match &self.digest {
            Ok(digest) => Ok(digest),
            Err(text) => Err(ReplyFault::Content(text.clone())),
        }
    }

    /// Whether another look, when a name server answers again, may find more.
    pub fn is_unsettled(&self) -> bool {
        matches!(self.signed, Err(SignatureFault::Unavailable(_)))
    }
}

/// Why no mail is sent or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Trying again can help.
    #[error("{0}")]
    Unavailable(String),
    /// The mail server wants nothing to do with it.
    #[error("{0}")]
    Refused(String),
}

/// Sends challenges, and reads what comes back.
#[async_trait]
pub trait EmailExchange: Send + Sync {
    /// Who the challenges come from, which clients look for.
    fn from(&self) -> &str;

    /// What is asked of replies.
    fn rules(&self) -> ReplyRules;

    /// Sends one. `Ok` means that a mail server took it.
    async fn send(&self, mail: &ChallengeMail) -> Result<(), MailError>;

    /// Some of the mails that nobody looked at yet, the oldest first.
    async fn receive(&self) -> Result<Vec<Received>, MailError>;

    /// Marks mails as looked at.
    async fn settle(&self, numbers: &[u32]) -> Result<(), MailError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge() -> EmailChallenge {
        EmailChallenge {
            authorization: AuthorizationId::mint(
                Timestamp::from_seconds(0),
                &pki::random::SystemRandom::new(),
            ),
            token: "half".to_owned(),
            message_id: "<1@ca.example.org>".to_owned(),
            sent_at: None,
            digest: None,
            replied_at: None,
        }
    }

    fn reply() -> Reply {
        Reply {
            from: Some(Mailbox::parse("a@example.org").unwrap()),
            token: Some("half".to_owned()),
            answers: vec!["<1@ca.example.org>".to_owned()],
            is_automatic: false,
            digest: Ok("digest".to_owned()),
            signed: Ok(()),
        }
    }

    #[test]
    fn each_fault_of_a_reply_has_its_own_reason() {
        let mailbox = Mailbox::parse("a@example.org").unwrap();
        let rules = ReplyRules { require_dkim: true };
        let judge = |reply: &Reply, rules| {
            let believed = reply.believed(&mailbox, &challenge(), rules);
            believed
                .map(str::to_owned)
                .map_err(|fault| fault.to_string())
        };
        assert_eq!(judge(&reply(), rules), Ok("digest".to_owned()));
        let unsigned = Reply {
            signed: Err(SignatureFault::Unsigned("no signature".to_owned())),
            ..reply()
        };
        assert!(judge(&unsigned, rules).unwrap_err().contains("DKIM"));
        let lenient = ReplyRules {
            require_dkim: false,
        };
        assert!(judge(&unsigned, lenient).is_ok());
        let cases = [
            (
                Reply {
                    is_automatic: true,
                    ..reply()
                },
                "by itself",
            ),
            (
                Reply {
                    from: None,
                    ..reply()
                },
                "a@example.org alone",
            ),
            (
                Reply {
                    answers: Vec::new(),
                    ..reply()
                },
                "that mail itself",
            ),
            (
                Reply {
                    digest: Err("HTML only".to_owned()),
                    ..reply()
                },
                "HTML only",
            ),
        ];
        for (reply, reason) in cases {
            let told = judge(&reply, lenient).unwrap_err();
            assert!(told.contains(reason), "{told}");
        }
    }
}
