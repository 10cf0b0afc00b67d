// An OpenID Connect provider with a login form, for people who are listed in a file.
//
//   node oidc_provider.cjs NODE_MODULES PEOPLE_JSON REDIRECT_URI CLIENT_SECRET
//
// Prints its issuer's URL. The file of people is read at each sign-in: { "ada": { "groups": ["pki"] } }.
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const [modules, people, redirectUri, clientSecret] = process.argv.slice(2);

async function main() {
  const entry = join(modules, 'oidc-provider', 'lib', 'index.js');
  const { Provider } = await import(pathToFileURL(entry).href);
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'certwright',
          client_secret: clientSecret,
          redirect_uris: [redirectUri],
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name', 'preferred_username'],
        groups: ['groups'],
      },
      scopes: ['openid', 'email', 'profile', 'groups'],
      pkce: { required: () => true },
      features: { devInteractions: { enabled: true } },
      findAccount: (_context, id) => {
        const person = JSON.parse(readFileSync(people, 'utf8'))[id];
        if (!person) return undefined;
        return {
          accountId: id,
          claims: () => ({ sub: id, preferred_username: id, ...person }),
        };
      },
    });
    server.on('request', provider.callback());
    console.log(issuer);
  });
}

main();
