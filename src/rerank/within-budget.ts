/** A promise with a deadline. */
import { TwinrankError } from '../errors.js';

/** The value, or `deadline_exceeded` after `ms`; what comes later is dropped. */
export async function withinBudget<T>(value: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TwinrankError('deadline_exceeded', message));
    }, ms);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
