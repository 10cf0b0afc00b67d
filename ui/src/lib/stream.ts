/** Long answers, read as they come: a million lines are never one text. */

/** The lines of an answer, so many as came at once. */
export async function* linesOf(response: Response): AsyncGenerator<string[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    const lines = (rest + (value ?? '')).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    const full = lines.filter(Boolean);
    if (full.length) yield full;
    if (done) return;
  }
}
