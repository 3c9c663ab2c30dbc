// Ways to write the address of the protected page, and requests around it, that web servers and
// programs read differently.

export const file = '/private/page.html';

const listed = String.raw`
/private/page.html  /private  /private/  /private?  /private/?page.html  /private/page.html?x
/private/page.html/  /private/page.html/x  /private/page.html?  /private/page.html??  /private/page.html&
//private/page.html  ///private/page.html  /private//page.html  /private///page.html  /.//private/page.html
/./private/page.html  /private/./page.html  /private/.  /private/..  /private/page.html/.
/private/../private/page.html  /public/../private/page.html  /x/y/../../private/page.html
/public/./../private/page.html  /public//../private/page.html  /public///../../private/page.html
/private/page.html/../page.html  /public/page.html/../../private/page.html  /../private/page.html
/%2e/private/page.html  /%2e%2e/private/page.html  /public/%2e%2e/private/page.html
/public/.%2e/private/page.html  /public/%2e./private/page.html  /%252e%252e/private/page.html
/public/..%2fprivate/page.html  /public/..%2Fprivate%2Fpage.html  /public/%2e%2e%2fprivate%2fpage.html
/private%2fpage.html  /private%2Fpage.html  /%2fprivate/page.html  /%2fprivate%2fpage.html
/public/..;/private/page.html  /public/..;x=y/private/page.html  /;/private/page.html
/private;a=b/page.html  /private/page.html;a=b  /private/page.html;.css  /private;/page.html
/Private/page.html  /PRIVATE/PAGE.HTML  /private/PAGE.HTML  /privatE/page.html
/%70rivate/page.html  /%70%72%69%76%61%74%65/page.html  /private/%70age.html  /%50rivate/page.html
/%2570rivate/page.html  /private/page%2ehtml  /private/page.html%2f  /private/page.html%2e
/private%00  /private%00/page.html  /private/page.html%00  /private/page.html%00.css  /%00/private/page.html
/private%20/page.html  /private/page.html%20  /private./page.html  /private/page.html.  /private./
/private%5cpage.html  /private\page.html  \private\page.html  /public\..\private\page.html
/public/..\private\page.html  /public/..%5cprivate%5cpage.html  /public/page.html\..\..\private\page.html
/private#x  /private/page.html#x  /private/page.html#/public  /private#/page.html  /public#/../private/page.html
/private%23/page.html  /private/page.html%23  /private/page.html?#
/private%3fx  /private/page.html%3fx  /private/page.html%3f  /public/page.html%3f/../../private/page.html
/public?/../private/page.html  /?/private/page.html  /private/page.html?next=/public/page.html
/private/page.html?a=%00  /private/page.html?%zz  /private/page.html?%  /private/page.html?%ff
/private/page.html%0d%0aX:y  /private/page.html%0a  /private/page.html%09  /private%0a/page.html
/%c0%ae%c0%ae/private/page.html  /public/%c0%ae%c0%ae/private/page.html  /%e0%80%afprivate/page.html
/private/page.html%c0%af  /private%c0%afpage.html  /private%ef%bc%8fpage.html  /pr%c4%b1vate/page.html
/%zz  /%zz/../private/page.html  /private/%zz  /private/page.html%  /private/page.html%7f  /%
/private/page.html~  /private/page.html::$DATA  /private/page.html.gz  /private/.htaccess
/privat  /private_  /privatex/../private/page.html  /privateer/page.html
/auth/login/../../private/page.html  /auth/login/private/page.html  /auth/../private/page.html
/auth/login%2f..%2f..%2fprivate/page.html  /auth/session/../../private/page.html
/public/login.fcgi/../../private/page.html  /public/page.html/private/page.html
?private/page.html  *  private/page.html  http:/private/page.html  http:///private/page.html
http://h/private/page.html  HTTP://h/private/page.html  http://h//private/page.html  https://h/private/page.html
http://h/public/../private/page.html  http://x@h/private/page.html  http://h:80/private/page.html
http://h?/private/page.html  http://h/private/page.html#  ftp://h/private/page.html  //h/private/page.html
/private/echo.cgi  /private/echo.cgi/x  /private/echo.cgi?x  /private//echo.cgi  /public/../private/echo.cgi
/private/echo.cgi%00.html  /private/echo.cgi/../page.html  /private/echo.cgi%20  //private/echo.cgi
/team/page.html  //team/page.html  /team/../private/page.html  /private/../team/page.html
/latchkey-gate  /latchkey-gate/  /latchkey-gate/staff  /latchkey-gate/../private/page.html
//latchkey-gate  /%6catchkey-gate  /@latchkey_login  /private@latchkey_login
`.trim().split(/\s+/);

export const targets = [
    ...listed, '/private /page.html', '/private /../public', '/private/page.html ', ' /private/page.html',
    '/private\t/page.html', '/private/page.html\t', '/\tprivate/page.html', '/private/page.html\x0b',
    '/private/page.html\x00', '/private/page.html?\xff', '/private/\xe9', `/private/page.html?${'x'.repeat(5000)}`,
    `${'/public/..'.repeat(100)}/private/page.html`, `${'/.'.repeat(300)}/private/page.html`,
    `${'/'.repeat(1000)}private/page.html`, `/private/page.html?next=${'%2e'.repeat(2000)}`,
];

// Heads of requests for the protected page, without the empty line; "$" stands for its address.
export const heads = [
    'GET $', 'GET $ HTTP/1.0', 'GET $ HTTP/0.9\nHost: h', 'GET $ HTTP/2.0\nHost: h', 'GET $ HTTP/1.1',
    'GET $ http/1.1\nHost: h', 'GET  $ HTTP/1.1\nHost: h', 'GET $  HTTP/1.1\nHost: h', 'GET\t$\tHTTP/1.1\nHost: h',
    ' GET $ HTTP/1.1\nHost: h',
    '\nGET $ HTTP/1.1\nHost: h', 'GET $ HTTP/1.1\nHost: h\nHost: i', 'GET $ HTTP/1.1\nHost: h\n X: y',
    'GET $ HTTP/1.1\nHost:', 'GET $ HTTP/1.1\nHost: a b', 'GET $ HTTP/1.1\nHost: h\nno colon',
    'GET $ HTTP/1.1\nHost: h\n: x',
    'GET $ HTTP/1.1\nHost: h\nRange: bytes=0-', 'GET $ HTTP/1.1\nHost: h\nRange: bytes=0-0,1-',
    'GET $ HTTP/1.1\nHost: h\nIf-None-Match: *', 'GET $ HTTP/1.1\nHost: h\nIf-Match: *',
    'GET $ HTTP/1.1\nHost: h\nIf-Modified-Since: Mon, 01 Jan 2035 00:00:00 GMT',
    'GET $ HTTP/1.1\nHost: h\nExpect: 100-continue', 'GET $ HTTP/1.1\nHost: h\nConnection: close, Cookie',
    'GET $ HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n' +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'GET $ HTTP/1.1\nHost: h\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__',
    'GET /public/none HTTP/1.1\nHost: h\nX-Rewrite-URL: $\nX-Original-URL: $\nX-Accel-Redirect: $\nX-Sendfile: $',
];

export const methods = ['HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'COPY',
    'LOCK', 'PURGE', 'FOO', 'GETX', 'get', 'G', 'GET\x00'];

// Headers by which a client could claim to be somebody, or to ask for something else.
export const claims = {
    'x-rewrite-url': '/public/page.html', 'x-original-url': '/public/page.html', 'x-original-uri': '/public/page.html',
    'x-forwarded-uri': '/public/page.html', 'x-forwarded-path': '/public', 'x-forwarded-prefix': '/public',
    'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', 'x-forwarded-proto': 'https',
    'x-forwarded-host': 'localhost', forwarded: 'for=127.0.0.1', 'x-http-method-override': 'OPTIONS',
    'x-method-override': 'OPTIONS',
    'remote-user': 'alice', remote_user: 'alice', 'x-remote-user': 'alice', 'x-forwarded-user': 'alice',
    'x-auth-user': 'alice', 'variable-remote-user': 'alice', authorization: 'Basic YWxpY2U6eA==', session: 'alice',
    'auth-policy': 'none', 'latchkey-groups': 'staff', latchkey_groups: 'staff', 'user-agent': 'GoogleHC/1.0',
    'sec-fetch-mode': 'no-cors', status: '200', 'fcgi-role': 'RESPONDER', fcgi_role: 'RESPONDER',
    'script-name': '/public/page.html', 'request-uri': '/public/page.html', 'request-method': 'OPTIONS',
};
