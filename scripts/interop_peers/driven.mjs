// The other end of driven.py: one JSON object a line in, and one a line out.

import { createInterface } from 'node:readline'

export async function eventually(what, look) {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`no ${what} within 20 s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

// Say that the program is ready, and do what it is told until nothing more comes.
export async function serve(doing) {
  tell({ id: 0, ok: 'ready' })
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line)
    doing[asked.do](asked.with).then(
      (ok) => tell({ id: asked.id, ok: ok ?? null }),
      (error) => tell({ id: asked.id, error: String(error?.message ?? error) })
    )
  }
  process.exit(0)
}

function tell(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
