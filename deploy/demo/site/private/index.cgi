#!/bin/sh
# Greets the signed-in user: the web server hands on who it is in REMOTE_USER and REMOTE_NAME.

escape() {
    printf '%s' "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

printf 'Status: 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n'
cat <<EOF
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Private · A small site</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/site.css">
</head>
<body>
<header>
<a href="/">A small site</a>
<nav aria-label="Site"><a href="/private/">Private pages</a> <a href="/auth/account">Your account</a> <a href="/auth/logout">Sign out</a></nav>
</header>
<main>
<h1>Hello, $(escape "${REMOTE_NAME:-$REMOTE_USER}")</h1>
<p>You are signed in as <strong>$(escape "$REMOTE_USER")</strong>: the web server told this program so, in
REMOTE_USER. So you may read <a href="/private/notes.html">the notes</a>, too.</p>
</main>
</body>
</html>
EOF
