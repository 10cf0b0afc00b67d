//! What may be a password.

use crate::user::UserName;

/// Why a text may not be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error(
        "the password is too short: use at least {MIN_CHARACTERS} characters, for instance four words"
    )]
    TooShort,
    #[error("the password is too long: at most {MAX_OCTETS} octets are taken")]
    TooLong,
    #[error("the password repeats too few characters; use at least {MIN_DISTINCT} different ones")]
    TooUniform,
    #[error("the password holds the user name; choose one that does not")]
    HoldsName,
}

/// Whether somebody of that name may have that password. Length counts, not a mixture of classes
/// (NIST SP 800-63B section 3.1.1.2).
pub fn check_password(password: &str, name: &UserName) -> Result<(), PasswordFault> {
    if password.len() > MAX_OCTETS {
        return Err(PasswordFault::TooLong);
    }
    if password.chars().count() < MIN_CHARACTERS {
        return Err(PasswordFault::TooShort);
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < MIN_DISTINCT {
        return Err(PasswordFault::TooUniform);
    }
    let stem = name.as_str().split('@').next().unwrap_or_default();
    if stem.len() >= 4 && password.to_lowercase().contains(stem) {
        return Err(PasswordFault::HoldsName);
    }
    Ok(())
}

const MIN_CHARACTERS: usize = 12;
const MIN_DISTINCT: usize = 5;
/// More would only keep the hash function busy.
const MAX_OCTETS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_makes_a_password() {
        let name: UserName = "lovelace@example.org".parse().unwrap();
        for (password, fault) in [
            ("correct horse battery", None),
            ("пароль подлиннее", None),
            ("elevenchars", Some(PasswordFault::TooShort)),
            ("", Some(PasswordFault::TooShort)),
            ("abababababababab", Some(PasswordFault::TooUniform)),
            ("my name is LoveLace", Some(PasswordFault::HoldsName)),
        ] {
            assert_eq!(check_password(password, &name).err(), fault, "{password}");
        }
        let long = "ab cd ef ".repeat(100);
        assert_eq!(check_password(&long, &name), Err(PasswordFault::TooLong));
    }
}
