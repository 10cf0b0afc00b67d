//! What the pages of web enrollment say. They are made for people and have no other form: a page that
//! is not understood is told with an excerpt, and decides nothing.

use crate::net::excerpt;

/// What became of a request, as a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Signed, or waiting, under this number.
    Known(u64),
    /// Somebody has to decide about it.
    Waiting,
    /// The CA's own words for why not.
    Denied(String),
    /// Something else.
    Unclear(String),
}

/// Reads the answer to a request (`certfnsh.asp`).
pub(super) fn submitted(page: &str) -> Disposition {
    let number = number_after(page, "certnew.cer?ReqID=")
        .or_else(|| number_after(page, "Your Request Id is "));
    match number {
        Some(id) => Disposition::Known(id),
        None => disposition(page),
    }
}

/// Reads the page that comes where a certificate was asked for (`certnew.cer`).
pub(super) fn disposition(page: &str) -> Disposition {
    let lower = page.to_ascii_lowercase();
    let said = message(page);
    let is_waiting = ["taken under submission", "certificate pending"]
        .iter()
        .any(|words| lower.contains(words));
    match said {
        _ if is_waiting => Disposition::Waiting,
        Some(said) => Disposition::Denied(said),
        None if lower.contains("denied") => {
            Disposition::Denied("the request was denied".to_owned())
        }
        None => Disposition::Unclear(excerpt(text(page).as_bytes())),
    }
}

/// How often the CA's own certificate was renewed (`certcarc.asp`): the number of the newest one.
pub(super) fn renewals(page: &str) -> u64 {
    number_after(page, "nRenewals=").unwrap_or_default()
}

/// The templates that the form for a request offers (`certrqxt.asp`), by their names and not by those that
/// are shown: the second of the parts of an option's value.
pub(super) fn templates(page: &str) -> Vec<String> {
    let values = page.split("<").filter_map(|tag| {
        let is_option = tag.get(..6)?.eq_ignore_ascii_case("option");
        let (_, value) = tag.split_once('"').filter(|_| is_option)?;
        let mut parts = value.split('"').next()?.split(';');
        matches!(parts.next()?, "E" | "O").then_some(())?;
        parts.next()
    });
    values
        .map(|name| excerpt(name.as_bytes()))
        .take(MOST_TEMPLATES)
        .collect()
}

/// More are not told.
const MOST_TEMPLATES: usize = 50;

fn number_after(page: &str, words: &str) -> Option<u64> {
    let (_, after) = page.split_once(words)?;
    let end = after.find(|c: char| !c.is_ascii_digit());
    after.get(..end.unwrap_or(after.len()))?.parse().ok()
}

/// What stands behind "The disposition message is".
fn message(page: &str) -> Option<String> {
    let at = ["disposition message is", "Disposition message:"]
        .iter()
        .find_map(|words| page.split_once(words).map(|(_, after)| after))?;
    let said = text(at);
    let said = said.trim_matches(|c: char| c.is_whitespace() || c == '"');
    let end = said.find(['"', '<']).unwrap_or(said.len());
    let said = said.get(..end).unwrap_or(said);
    Some(excerpt(said.trim().as_bytes())).filter(|said| !said.is_empty())
}

/// The words of a page without its tags.
fn text(page: &str) -> String {
    let mut words = String::new();
    let mut in_tag = false;
    for c in page.chars().take(8 * 1024) {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                words.push(' ');
            }
            _ if !in_tag => words.push(c),
            _ => {}
        }
    }
    let words = words.replace("&quot;", "\"").replace("&nbsp;", " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_understood() {
        let issued = "<a href=\"certnew.cer?ReqID=42&amp;Enc=b64\">Download</a>";
        assert_eq!(submitted(issued), Disposition::Known(42));
        let pending = "<b>Certificate Pending</b> Your Request Id is 7.";
        assert_eq!(submitted(pending), Disposition::Known(7));
        let denied = "Your Request Id is not there. The disposition message is <br>\"Denied by Policy \
                      Module 0x80094800\"<br> Contact your administrator.";
        assert_eq!(
            submitted(denied),
            Disposition::Denied("Denied by Policy Module 0x80094800".to_owned())
        );
        let waiting = "<p>Disposition message: <b>Taken Under Submission</b></p>";
        assert_eq!(disposition(waiting), Disposition::Waiting);
        let broken = "<html><title>Server Error</title>in '/' application";
        assert_eq!(
            disposition(broken),
            Disposition::Unclear("Server Error in '/' application".to_owned())
        );
        assert_eq!(renewals("var nRenewals=2;"), 2);
        assert_eq!(renewals(""), 0);
        let form = "<Select Name=lbCertTemplate><Option Value=\"E;User;1;3;0\">Benutzer<option \
                    value=\"O;WebServer;0\">Web Server</Select><Option Value=\"other\">x<Option>";
        assert_eq!(templates(form), ["User", "WebServer"]);
    }
}
