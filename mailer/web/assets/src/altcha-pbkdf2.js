// The worker that does the calculation.
import "altcha/workers/pbkdf2";
