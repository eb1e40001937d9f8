"""Issue content becomes mail: `content`, `compiling`, `checks`, `message`, `letters`, `slots`, `sanitising`.

Pure: values in, values out; no clock, no network, no database. Callers import the modules themselves, so that
parsing a document does not load Premailer.
"""
