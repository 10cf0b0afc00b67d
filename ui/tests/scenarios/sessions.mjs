// Two browsers of one person: what is dangerous asks again who one is, and one browser signs out the other.
import { check, Person } from '../lib/browser.mjs';
import { PASSWORD } from '../lib/world.mjs';

/** The server asks again a minute after the last proof: whoever tries as long as that is asked. */
async function untilAsked(page) {
  const question = page.getByRole('dialog', { name: 'Is it still you?' });
  const made = page.getByRole('dialog', { name: /this once/ });
  for (let tries = 0; tries < 60; tries++) {
    await page.getByRole('button', { name: 'New token' }).first().click();
    await page.getByRole('textbox', { name: 'Name' }).fill(`robot ${tries}`);
    await page.getByRole('button', { name: 'Make the token' }).click();
    await question.or(made).first().waitFor();
    if (await question.isVisible()) return `robot ${tries}`;
    await made.getByRole('button', { name: 'I have it' }).click();
    await made.waitFor({ state: 'detached' });
    await page.waitForTimeout(4_000);
  }
  throw new Error('nobody asks who makes tokens');
}

export async function scenario({ browser, url, api }) {
  const here = await Person.at(browser, url);
  const there = await Person.at(browser, url);
  const { page } = here;
  await here.signIn('ada');
  await there.signIn('ada');
  await here.open('/administration/tokens');
  const name = await untilAsked(page);
  const exists = async () => (await api.get('/api/v1/tokens?limit=200')).items.some((token) => token.name === name);
  check(!(await exists()), 'the token is there before the proof');
  const question = page.getByRole('dialog', { name: 'Is it still you?' });
  await here.accessible('the question who one is');
  await question.locator('input[autocomplete="current-password"]').fill('something else');
  await question.getByRole('button', { name: 'Go on' }).click();
  await question.getByRole('alert').waitFor();
  await question.locator('input[autocomplete="current-password"]').fill(PASSWORD);
  await question.getByRole('button', { name: 'Go on' }).click();
  // What was begun goes on by itself.
  await page.getByRole('dialog', { name: /this once/ }).waitFor();
  check(await exists(), 'the token is not there after the proof');
  await page.getByRole('button', { name: 'I have it' }).click();

  await here.open('/profile');
  const others = page.getByRole('row', { name: /Chrome/ }).filter({ hasNotText: 'This one' });
  await others.first().waitFor();
  const count = await others.count();
  await others.first().getByRole('button', { name: 'End' }).click();
  await page.waitForFunction((before) => [...document.querySelectorAll('tr')].filter((row) => /Chrome/.test(row.innerText) && !/This one/.test(row.innerText)).length === before - 1, count);
  await there.page.reload();
  await there.page.waitForURL('**/sign-in**');
  await here.open('/certificates');
  check(!page.url().includes('/sign-in'), 'whoever ended the other session is signed out as well');
  here.content();
}
