// The proof of work of sign-ups under pressure: loaded by the pages that ask for one, and by no other.
import "altcha/i18n/zh-cn";
import "./altcha/register.js";
import "altcha/external";
