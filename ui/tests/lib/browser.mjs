// Chromium as the system has it, and what every scenario asks of a page.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { PASSWORD } from './world.mjs';

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 360, height: 780 };
export const WALL = { width: 3840, height: 2160 };

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** A person at a screen. What the page complains about is kept, and ends the scenario as a failure. */
export class Person {
  static async at(browser, url, { screen = DESKTOP, scheme = 'light' } = {}) {
    const context = await browser.newContext({
      viewport: screen, colorScheme: scheme, ignoreHTTPSErrors: true, locale: 'en-GB', timezoneId: 'Europe/Berlin',
      isMobile: screen === PHONE, hasTouch: screen === PHONE, acceptDownloads: true, reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const person = new Person();
    Object.assign(person, { context, page, url, complaints: [], foreign: [] });
    page.on('pageerror', (error) => person.complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && !text.startsWith('Failed to load resource')) person.complaints.push(text);
    });
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (to.origin !== url && !['data:', 'blob:'].includes(to.protocol)) person.foreign.push(request.url());
    });
    page.on('dialog', (dialog) => {
      person.complaints.push(`a script ran: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return person;
  }

  async signIn(name) {
    await this.page.goto(`${this.url}/sign-in`);
    await this.page.getByLabel('User name').fill(name);
    await this.page.locator('input[autocomplete="current-password"]').fill(PASSWORD);
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await this.page.waitForURL((address) => !address.pathname.startsWith('/sign-in'));
  }

  /** A page, once its skeletons are gone. */
  async open(path) {
    await this.page.goto(`${this.url}${path}`);
    await this.settle();
  }

  async settle() {
    await this.page.locator('h1').first().waitFor();
    await this.page.waitForFunction(() => !document.querySelector('[aria-label="Loading"], [class*="skeleton"]'), undefined, { timeout: 30_000 });
  }

  /** Presses a button that asks once more, and says yes. */
  async sure(button) {
    await button.click();
    const question = this.page.getByRole('button', { name: /^Yes, / });
    await question.click();
    await question.waitFor({ state: 'detached' });
  }

  /** Nothing that axe calls serious; with `flawless`, nothing at all, by the rules that Lighthouse looks at as well. */
  async accessible(where, flawless = false) {
    await this.page.evaluate(axe);
    const rules = Object.fromEntries(['target-size', 'label-content-name-mismatch', 'table-fake-caption', 'td-has-header'].map((rule) => [rule, { enabled: flawless }]));
    const found = await this.page.evaluate((rules) => window.axe.run(document, { resultTypes: ['violations'], rules }), rules);
    const serious = found.violations.filter(({ impact }) => flawless || impact === 'serious' || impact === 'critical');
    const texts = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`).join(' | ')}`);
    check(serious.length === 0, `${where}: ${texts.join('\n')}`);
  }

  async fits(where) {
    const [inner, content] = await this.page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth]);
    check(content <= inner, `${where} is ${content} wide on a screen of ${inner}`);
  }

  content() {
    check(this.complaints.length === 0, this.complaints.join('\n'));
    check(this.foreign.length === 0, `asked somebody else: ${this.foreign.join(', ')}`);
  }
}
