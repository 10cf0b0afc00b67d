// U2: to ask for a certificate, approve it and revoke it takes no mouse; axe finds nothing serious on the way.
import { check, Person } from '../lib/browser.mjs';
import { configuration } from '../lib/world.mjs';

/** Tab until the wanted thing has the focus. */
async function tabTo(page, name, role) {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(([wanted, kind]) => {
      const element = document.activeElement;
      const label = element?.getAttribute('aria-label') || (element?.id && document.querySelector(`label[for="${element.id}"]`)?.textContent) || element?.textContent || '';
      const is = element?.getAttribute('role') ?? { A: 'link', BUTTON: 'button', INPUT: 'textbox', TEXTAREA: 'textbox' }[element?.tagName ?? ''];
      return label.trim().startsWith(wanted) && (!kind || is === kind);
    }, [name, role]);
    if (found) return;
  }
  throw new Error(`the keyboard does not reach “${name}”`);
}

export async function scenario({ browser, url, api }) {
  await configuration(api);
  const ada = await Person.at(browser, url);
  await ada.signIn('ada');
  await ada.open('/');
  await ada.page.keyboard.press('Control+k');
  await ada.page.locator('[role=combobox]:focus').waitFor();
  await ada.page.keyboard.type('Request a cert');
  await ada.page.getByRole('option', { name: 'Request a certificate' }).waitFor();
  await ada.page.keyboard.press('Enter');
  await ada.page.waitForURL('**/requests/new');
  await ada.settle();
  await tabTo(ada.page, 'public-web', 'radio');
  await ada.page.keyboard.press('Enter');
  await tabTo(ada.page, 'Next', 'button');
  await ada.page.keyboard.press('Enter');
  await tabTo(ada.page, 'Names', 'textbox');
  await ada.page.keyboard.type('keyboard.example.org');
  await ada.accessible('the wizard');
  for (let step = 0; step < 2; step++) {
    await tabTo(ada.page, 'Next', 'button');
    await ada.page.keyboard.press('Enter');
  }
  await ada.page.getByText('People decide').waitFor();
  await tabTo(ada.page, 'Submit the request', 'button');
  await ada.page.keyboard.press('Enter');
  await ada.page.waitForURL('**/requests/enr_*');
  await ada.page.getByText('Awaiting approval').first().waitFor();
  const id = ada.page.url().split('/').pop();

  const grace = await Person.at(browser, url);
  await grace.signIn('grace');
  await grace.open('/approvals');
  await tabTo(grace.page, 'keyboard.example.org', 'link');
  await grace.page.keyboard.press('Enter');
  await grace.page.waitForURL('**/approvals/apr_*');
  await grace.settle();
  await grace.accessible('an approval');
  await tabTo(grace.page, 'Approve', 'button');
  await grace.page.keyboard.press('Enter');
  // The page of the requester follows by itself.
  await ada.page.getByText('Issued', { exact: true }).first().waitFor({ timeout: 20_000 });

  const { certificate } = await api.get(`/api/v1/enrollments/${id}`);
  await ada.open(`/certificates/${certificate}`);
  await tabTo(ada.page, 'Revoke', 'button');
  await ada.page.keyboard.press('Enter');
  await ada.page.getByRole('dialog').waitFor();
  await ada.accessible('the question before a revocation');
  await ada.page.keyboard.type('keyboard.example.org');
  await ada.page.keyboard.press('Enter');
  await ada.page.getByText('Revoked', { exact: true }).first().waitFor({ timeout: 20_000 });
  check((await api.get(`/api/v1/certificates/${certificate}`)).status === 'revoked', 'it is not revoked');
  ada.content();
  grace.content();
}
