// Scenarios for `acme-client`: node acme_client.cjs SCENARIO DIRECTORY MANAGEMENT ARGUMENT…

const acme = require('acme-client');

const [, , scenario, directoryUrl, management, ...rest] = process.argv;

/** Tells the challenge server what to answer. */
async function tell(what, body) {
    const answer = await fetch(`${management}/${what}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
}

/** Gets ready for a challenge. */
async function prepare(authorization, challenge, keyAuthorization) {
    const name = authorization.identifier.value;
    switch (challenge.type) {
        case 'http-01':
            return tell('add-http01', { token: challenge.token, content: keyAuthorization });
        case 'dns-01':
            return tell('set-txt', { host: `_acme-challenge.${name}.`, value: keyAuthorization });
        case 'tls-alpn-01':
            return tell('add-tlsalpn01', { host: name, content: keyAuthorization });
        default:
            throw new Error(`unexpected challenge ${challenge.type}`);
    }
}

/** One pass from order to chain. */
async function issue(client, kind, names) {
    const [, csr] = await acme.crypto.createCsr({ altNames: names });
    return client.auto({
        csr,
        email: 'ops@example.org',
        termsOfServiceAgreed: true,
        skipChallengeVerification: true,
        challengePriority: [kind],
        challengeCreateFn: prepare,
        challengeRemoveFn: async () => {},
    });
}

async function newClient(more = {}) {
    const accountKey = await acme.crypto.createPrivateEcdsaKey();
    // It waits between its looks at an order; the default of five seconds is for slow servers.
    return new acme.Client({ directoryUrl, accountKey, backoffMin: 200, backoffMax: 2000, ...more });
}

const scenarios = {
    async issue(kind, ...names) {
        return issue(await newClient(), kind, names);
    },

    async life(kid, hmacKey, name) {
        const client = await newClient({ externalAccountBinding: { kid, hmacKey } });
        const chain = await issue(client, 'http-01', [name]);
        await client.updateAccountKey(await acme.crypto.createPrivateEcdsaKey('P-384'));
        await client.updateAccount({ contact: ['mailto:new@example.org'] });
        await client.revokeCertificate(chain, { reason: 4 });
        const account = await client.updateAccount({ status: 'deactivated' });
        if (account.status !== 'deactivated') throw new Error(`the account is ${account.status}`);
        return chain;
    },
};

scenarios[scenario](...rest).then(
    (chain) => process.stdout.write(chain),
    (error) => {
        console.error(error);
        process.exitCode = 1;
    },
);
