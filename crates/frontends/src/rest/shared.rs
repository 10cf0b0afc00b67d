//! What has a name, and a team or nobody as its owner: profiles, ACME directories, EST labels, SCEP services, CMP
//! endpoints. Everybody sees those without an owner.

use axum::Json;
use domain::acme::directory::Directory;
use domain::cmp::CmpEndpoint;
use domain::enrolling::EntryPoint;
use domain::id::TeamId;
use domain::permission::Permission;
use domain::profile::Profile;
use http::{HeaderName, HeaderValue};
use protocols::rest::page::Page;
use protocols::rest::team::OwnerQuery;

use super::access::Operator;
use super::failure::Failure;
use super::names::Names;
use super::{Verbs, etag};

pub(super) trait Shared {
    const READ: Permission;
    const WRITE: Permission;

    fn name(&self) -> &str;
    fn owner(&self) -> Option<&TeamId>;
    /// Another one after each change.
    fn revision(&self) -> i64;
}

macro_rules! shared {
    ($($kind:ty: $read:ident, $write:ident, $revision:expr;)*) => {
        $(impl Shared for $kind {
            const READ: Permission = Permission::$read;
            const WRITE: Permission = Permission::$write;

            fn name(&self) -> &str {
                &self.name
            }

            fn owner(&self) -> Option<&TeamId> {
                self.team_id.as_ref()
            }

            fn revision(&self) -> i64 {
                let revision: fn(&Self) -> i64 = $revision;
                revision(self)
            }
        })*
    };
}

shared! {
    Profile: PolicyRead, PolicyWrite, |profile| profile.version.into();
    Directory: AcmeRead, AcmeWrite, |directory| directory.updated_at.millis();
    EntryPoint: EnrollingRead, EnrollingWrite, |point| point.updated_at.millis();
    CmpEndpoint: EnrollingRead, EnrollingWrite, |endpoint| endpoint.updated_at.millis();
}

/// Those of `found` that are seen.
pub(super) async fn list<T: Shared, W>(
    verbs: &Verbs,
    operator: &Operator,
    found: &[T],
    render: impl Fn(&Verbs, &T, &Names) -> Result<W, Failure>,
) -> Result<Json<Page<W>>, Failure> {
    let visible = operator.visible(T::READ);
    let names = Names::load(verbs).await?;
    let items = found
        .iter()
        .filter(|thing| visible.shows_shared(thing.owner()))
        .map(|thing| render(verbs, thing, &names));
    Ok(Json(Page {
        items: items.collect::<Result<_, _>>()?,
        next: None,
    }))
}

/// The one of that name.
pub(super) fn named<T: Shared>(
    found: Vec<T>,
    name: &str,
    unknown: fn(&str) -> Failure,
) -> Result<T, Failure> {
    let thing = found.into_iter().find(|thing| thing.name() == name);
    thing.ok_or_else(|| unknown(name))
}

/// Who is to own what is put: the team that was chosen if it is new; if it is there already, it keeps its owner
/// and has to be one that may be changed.
pub(super) async fn owner_of_put<T: Shared>(
    verbs: &Verbs,
    operator: &Operator,
    known: Option<&T>,
    query: &OwnerQuery,
    unknown: impl FnOnce() -> Failure,
) -> Result<Option<TeamId>, Failure> {
    match known {
        Some(thing) => {
            operator.require_shared(T::WRITE, thing.owner(), unknown)?;
            Ok(None)
        }
        None => {
            let wanted = query.team.as_deref();
            Ok(verbs
                .choose_team(operator.rights(), T::WRITE, wanted)
                .await?)
        }
    }
}

/// A body and its `ETag`.
pub(super) type Tagged<W> = ([(HeaderName, HeaderValue); 1], Json<W>);

/// One of them, with the ETag that a change of it names.
pub(super) async fn answer<T: Shared, W>(
    verbs: &Verbs,
    thing: &T,
    render: impl Fn(&Verbs, &T, &Names) -> Result<W, Failure>,
) -> Result<Tagged<W>, Failure> {
    let names = Names::load(verbs).await?;
    Ok((
        etag::tag(thing.revision()),
        Json(render(verbs, thing, &names)?),
    ))
}
