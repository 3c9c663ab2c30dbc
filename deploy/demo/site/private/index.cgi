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
<meta name="color-scheme" content="light dark">
<title>Private · A small site</title>
<link rel="stylesheet" href="/site.css">
</head>
<body>
<main>
<h1>Hello, $(escape "${REMOTE_NAME:-$REMOTE_USER}")</h1>
<p>You are signed in as <strong>$(escape "$REMOTE_USER")</strong>, so you may read
<a href="/private/notes.html">the notes</a>.</p>
<p><a href="/auth/account">Your account</a> · <a href="/auth/logout">Sign out</a></p>
</main>
</body>
</html>
EOF
