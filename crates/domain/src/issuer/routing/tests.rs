use proptest::prelude::*;

use super::*;

fn choice(issuer: &str, weight: u32, tier: u32) -> IssuerChoice {
    IssuerChoice {
        tier,
        ..IssuerChoice::new(issuer, weight)
    }
}

fn nothing() -> RouteFacts<'static> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    RouteFacts {
        names: &[],
        team: None,
        metadata: &NONE,
    }
}

fn chosen(choices: &[IssuerChoice], standing: impl Fn(&str) -> Standing, draw: f64) -> String {
    match route(choices, &nothing(), standing, draw) {
        Ok(choice) => choice.issuer.clone(),
        Err(error) => error.to_string(),
    }
}

const RESTING: Standing = Standing::Resting {
    until: Timestamp::from_seconds(60),
};

#[test]
fn weights_are_shares_and_zero_takes_an_issuer_out() {
    let candidates = [("a", 3), ("off", 0), ("b", 1)];
    let drawn: Vec<&str> = (0..100)
        .filter_map(|n| choose(&candidates, f64::from(n) / 100.0).copied())
        .collect();
    assert_eq!(drawn.iter().filter(|name| **name == "a").count(), 75);
    assert_eq!(drawn.iter().filter(|name| **name == "b").count(), 25);
    assert_eq!(choose(&candidates, 1.0), Some(&"b"));
    assert_eq!(choose(&[("off", 0)], 0.5), None);
}

#[test]
fn a_later_tier_signs_only_where_no_earlier_one_can() {
    let choices = [choice("first", 1, 0), choice("second", 9, 1)];
    assert_eq!(chosen(&choices, |_| Standing::Fit, 0.99), "first");
    let without_first = |name: &str| match name {
        "first" => RESTING,
        _ => Standing::Fit,
    };
    assert_eq!(chosen(&choices, without_first, 0.0), "second");
}

#[test]
fn one_that_rests_is_better_than_nobody_and_one_that_is_out_is_not() {
    let choices = [choice("a", 1, 0), choice("b", 1, 0)];
    let one_rests = |name: &str| match name {
        "a" => Standing::Out(OutReason::Retired),
        _ => RESTING,
    };
    assert_eq!(chosen(&choices, one_rests, 0.0), "b");
    let text = chosen(&choices, |_| Standing::Out(OutReason::Retired), 0.0);
    assert!(text.contains("`a` is not active"), "{text}");
}

#[test]
fn a_condition_looks_at_names_team_and_metadata_together() {
    let condition = RouteCondition {
        names: vec![".example.org".parse().unwrap()],
        teams: vec!["web".to_owned()],
        metadata: BTreeMap::from([("stage".to_owned(), vec!["prod".to_owned()])]),
    };
    let name = |text| [Identifier::parse("dns", text).unwrap()];
    let (inside, outside) = (name("a.example.org"), name("a.example.net"));
    let prod = BTreeMap::from([("stage".to_owned(), "prod".to_owned())]);
    let test = BTreeMap::from([("stage".to_owned(), "test".to_owned())]);
    for (names, team, metadata, holds) in [
        (&inside, Some("web"), &prod, true),
        (&outside, Some("web"), &prod, false),
        (&inside, Some("mail"), &prod, false),
        (&inside, None, &prod, false),
        (&inside, Some("web"), &test, false),
    ] {
        let facts = RouteFacts {
            names,
            team,
            metadata,
        };
        assert_eq!(condition.holds(&facts), holds, "{facts:?}");
    }
    let mut unmet = choice("a", 1, 0);
    unmet.when = Some(condition);
    assert_eq!(
        route(&[unmet], &nothing(), |_| Standing::Fit, 0.5),
        Err(NoRoute::NoneTakesIt)
    );
}

proptest! {
    #[test]
    fn the_load_comes_out_by_weight(weights in prop::collection::vec(0_u32..20, 1..6)) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let choices: Vec<IssuerChoice> = weights
            .iter()
            .enumerate()
            .map(|(n, weight)| choice(&n.to_string(), *weight, 0))
            .collect();
        let draws = 10_000;
        let mut counts = vec![0_u32; weights.len()];
        for n in 0..draws {
            let draw = (f64::from(n) + 0.5) / f64::from(draws);
            let name = chosen(&choices, |_| Standing::Fit, draw);
            counts[name.parse::<usize>().unwrap()] += 1;
        }
        for (weight, count) in weights.iter().zip(counts) {
            let wanted = f64::from(draws) * f64::from(*weight) / f64::from(total);
            prop_assert!((f64::from(count) - wanted).abs() <= 1.5, "{count} of {wanted}");
        }
    }

    #[test]
    fn whoever_is_chosen_is_as_fit_as_anybody(
        weights in prop::collection::vec((0_u32..3, 0_u32..3, 0_u8..3), 1..6),
        draw in 0.0_f64..1.0,
    ) {
        let choices: Vec<IssuerChoice> = weights
            .iter()
            .enumerate()
            .map(|(n, (weight, tier, _))| choice(&n.to_string(), *weight, *tier))
            .collect();
        let standing = |name: &str| match weights[name.parse::<usize>().unwrap()].2 {
            0 => Standing::Fit,
            1 => RESTING,
            _ => Standing::Out(OutReason::Retired),
        };
        let routed = route(&choices, &nothing(), standing, draw);
        let usable = |wanted| choices.iter().filter(move |c| c.weight > 0 && standing(&c.issuer) == wanted);
        match routed {
            Ok(found) => {
                let best = match usable(Standing::Fit).next() {
                    Some(_) => Standing::Fit,
                    None => RESTING,
                };
                prop_assert_eq!(standing(&found.issuer), best);
                prop_assert_eq!(usable(best).map(|c| c.tier).min(), Some(found.tier));
                prop_assert!(found.weight > 0);
            }
            Err(_) => {
                prop_assert!(usable(Standing::Fit).next().is_none());
                prop_assert!(usable(RESTING).next().is_none());
            }
        }
    }
}
