// An authenticator from its QR code to the next sign-in, and a passkey of the browser.
import { check, Person } from '../lib/browser.mjs';
import { code } from '../lib/totp.mjs';
import { PASSWORD } from '../lib/world.mjs';

async function signOut(page) {
  await page.getByRole('button', { name: /Ada Lovelace/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in**');
}

async function password(page) {
  await page.getByLabel('User name').fill('ada');
  await page.locator('input[autocomplete="current-password"]').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

const inside = (page) => page.waitForURL((address) => !address.pathname.startsWith('/sign-in'));

/** A dialog may ask once more who one is. */
async function proved(page, wanted, typed) {
  const question = page.getByRole('dialog', { name: 'Is it still you?' });
  await wanted.or(question).first().waitFor();
  if (!(await question.isVisible())) return;
  await question.locator('input[autocomplete="current-password"]').fill(PASSWORD);
  if (typed) await question.getByLabel('Code').fill(typed);
  await question.getByRole('button', { name: 'Go on' }).click();
  await wanted.first().waitFor();
}

async function authenticator(ada) {
  const { page } = ada;
  await ada.open('/profile');
  await page.getByRole('button', { name: 'Set up an authenticator' }).click();
  const qr = page.getByRole('img', { name: 'The secret as a QR code' });
  await proved(page, qr);
  check((await qr.locator('path').getAttribute('d')).length > 1_000, 'the QR code is empty');
  await ada.accessible('the set-up of an authenticator');
  const secret = (await page.getByRole('region', { name: 'the secret' }).innerText()).trim();
  await page.getByRole('textbox', { name: 'Code' }).fill(code(secret));
  await page.getByRole('button', { name: 'Take it into use' }).click();
  const codes = page.getByRole('region', { name: 'Recovery codes' });
  await codes.waitFor();
  const [recovery] = (await codes.innerText()).trim().split('\n');
  await page.getByRole('button', { name: 'I have it' }).click();
  await page.getByText('9 left').or(page.getByText('10 left')).or(page.getByText('8 left')).first().waitFor();

  await signOut(page);
  await password(page);
  await page.getByRole('textbox', { name: 'Code' }).fill('000000');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').first().waitFor();
  // A code opens once: the one that set it up is used, the next one is not.
  await page.getByRole('textbox', { name: 'Code' }).fill(code(secret, 1));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await inside(page);
  await signOut(page);
  await password(page);
  await page.getByRole('textbox', { name: 'Code' }).fill(recovery);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await inside(page);
}

async function passkey(ada) {
  const { page, context } = ada;
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
  await ada.open('/profile');
  await page.getByLabel('Name of the passkey').fill('this laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await proved(page, page.getByRole('cell', { name: 'this laptop' }));
  const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
  check(credentials.length === 1, `the authenticator holds ${credentials.length} keys`);
  await signOut(page);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await inside(page);
  await ada.settle();
  await ada.open('/profile');
  const row = page.getByRole('row', { name: /this laptop/ });
  check(!(await row.innerText()).includes('never'), 'the passkey was not used');
  await page.getByRole('button', { name: 'End all others' }).click();
  await ada.sure(row.getByRole('button', { name: 'Remove' }));
  await row.waitFor({ state: 'detached' });
}

export async function scenario({ browser, url }) {
  const ada = await Person.at(browser, url);
  await ada.signIn('ada');
  await authenticator(ada);
  await passkey(ada);
  ada.content();
}
