import { createInterface } from 'node:readline'
import { writeSync } from 'node:fs'

/** Writes one JSON object a line; a pipe that is full for the moment is tried again. */
export function emit (fields) {
  let rest = Buffer.from(JSON.stringify(fields) + '\n')
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (err) {
      if (err.code !== 'EAGAIN') throw err
    }
  }
}

/** Runs commands side by side until stdin ends or `quit` comes. */
export async function serve (commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue
    let request
    try {
      request = JSON.parse(line)
    } catch (err) {
      emit({ id: null, ok: false, error: err.message })
      continue
    }
    if (request.cmd === 'quit') {
      emit({ id: request.id, ok: true })
      return
    }
    run(commands, request).then(
      answer => emit({ id: request.id, ok: true, ...answer }),
      err => emit({ id: request.id, ok: false, error: `${err.name}: ${err.message}` })
    )
  }
}

async function run (commands, request) {
  const command = Object.hasOwn(commands, request.cmd) ? commands[request.cmd] : undefined
  if (command === undefined) throw new Error(`unknown command ${request.cmd}`)
  return command(request)
}
