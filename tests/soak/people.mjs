// What people do all day: visitors who come and go, residents who stay, and suspects whom the
// administrator locks out.
import { formType } from '../web/support/forms.mjs';
import { Browser, encodeForm, formFields } from '../web/support/http.mjs';
import { Person, between, page, pick } from './person.mjs';

const devices = '/auth/account/sessions';

const articles = (body) => Object.fromEntries([...body.matchAll(/<li>([^:]+): (.*) <form/g)].map(([, name, remark]) => [name, remark]));

export class Visitor extends Person {
    number = 0;

    async lookAround() {
        const answer = await this.get(page);
        this.expectStatus(answer, 200, 'the page');
        this.expect(await this.passes(), 'signed in, and does not pass');
    }

    async askWho() {
        const answer = await this.get('/auth/session', { headers: { accept: 'application/json' } });
        this.expectStatus(answer, 200, 'who am I');
        this.expect(answer.status !== 200 || JSON.parse(answer.body).user === this.user.name, 'somebody else');
    }

    async openAccount() {
        for (const target of ['/auth/account', '/auth/account/activity', '/auth/account/password']) {
            this.expectStatus(await this.get(target), 200, target);
        }
    }

    async comeUnknown() {
        this.expectStatus(await this.get(page, { cookie: '' }), 303, 'a page for nobody');
        this.expectStatus(await this.get('/public/page.html', { cookie: '' }), 200, 'an open page');
    }

    // The cart of examples/cart.c, which lighttpd runs: what was put into it is there.
    async shop() {
        const web = this.at.webs.find(({ name }) => name === 'lighttpd');
        const remark = `number ${++this.number}`;
        const before = await this.get('/cart', { web });
        this.expectStatus(before, 200, 'the cart');
        const put = await this.send('/cart', {
            web, method: 'POST', headers: { 'content-type': formType },
            body: encodeForm({ csrf: formFields(before.body).csrf, action: 'add', article: 'bread', remark }),
        });
        this.expectStatus(put ?? {}, 303, 'into the cart');
        this.expect(articles((await this.get('/cart', { web })).body).bread === remark, 'the cart does not hold what was put into it');
    }

    async mistype() {
        const other = new Person(this.at, this.user);
        const status = await other.trySignIn('not the password at all');
        this.expect(status === undefined || status === 403, `a wrong password: ${status}`);
        this.expect(!(await other.passes()), 'a wrong password lets pass');
    }

    // Another device, which is signed out from here.
    async endOthers() {
        const other = new Person(this.at, this.user);
        if (!(await other.signIn())) return;
        this.expect(await other.passes(), 'the other device does not pass');
        const list = await this.get(devices);
        const others = [...list.body.matchAll(/<li>.*?<\/li>/gs)].map(([item]) => item).filter((item) => !item.includes('this one'));
        this.expect(others.length > 0, 'the other device is not listed');
        for (const item of others) {
            const [, id] = /name="id" value="([^"]*)"/.exec(item);
            const answer = await this.send(devices, {
                method: 'POST', body: encodeForm({ csrf: formFields(list.body).csrf, id }), headers: { 'content-type': formType },
            });
            if (answer === undefined) return;
            this.expectStatus(answer, 303, 'the end of another session');
        }
        this.expect(!(await other.passes()), 'a session passes that was ended from another device');
        this.expect(await this.passes(), 'a session ended with another one');
    }

    async changePassword() {
        const former = { password: this.user.password, cookie: this.cookie };
        const wanted = `seven purple elephants yawn ${++this.number} times`; // each time another one
        const answer = await this.submit('/auth/account/password', { current: former.password, new: wanted, again: wanted });
        if (answer === undefined) {
            await this.findPassword(former.password, wanted);
            return;
        }
        this.expectStatus(answer, 303, 'a new password');
        if (answer.status !== 303) return;
        this.user.password = wanted;
        this.expect(!(await this.passes(former.cookie)), 'a session of the former password passes');
        this.expect(await this.passes(), 'the session of the new password does not pass');
        const status = await new Person(this.at, this.user).trySignIn(former.password);
        this.expect(status === undefined || status === 403, `the former password: ${status}`);
    }

    // After a lost answer: exactly one of the two is the password.
    async findPassword(...passwords) {
        const good = [];
        for (const password of passwords) {
            let status;
            while (status === undefined && !this.at.isOver) status = await this.trySignIn(password);
            if (status === 303) good.push(password);
            else this.expect(this.at.isOver || status === 403, `after a lost change of password: ${status}`);
        }
        this.expect(this.at.isOver || good.length === 1, `after a lost change ${good.length} passwords are good`);
        if (good.length > 0) [this.user.password] = good;
        await this.signIn();
    }

    async signOut() {
        const copied = this.cookie;
        const answer = await this.submit('/auth/logout', {});
        if (answer === undefined) { // it is done or not, and stays so
            const alive = await this.passes(copied);
            this.expect(alive === (await this.passes(copied)), 'a session ended by itself, or came back');
            return;
        }
        this.expectStatus(answer, 303, 'sign-out');
        for (let i = 0; i < 3; i++) this.expect(!(await this.passes(copied)), 'a copy passes after the sign-out');
    }

    async visit() {
        if (!(await this.signIn())) return;
        const doings = [this.lookAround, this.lookAround, this.lookAround, this.askWho, this.openAccount, this.comeUnknown,
            this.shop, this.shop, this.mistype, this.endOthers, this.changePassword];
        for (let i = between(3, 12); i > 0 && !this.at.isOver; i--) {
            await pick(doings).call(this);
            await this.rest();
        }
        if (!this.at.isOver) await this.signOut();
    }
}

// Stays signed in while secrets are rotated, for as long as tokens of former ones are good.
export class Resident extends Person {
    async stay() {
        if (!(await this.signIn({ remember: '1' }))) return;
        const rotations = this.at.rotations;
        while (!this.at.isOver && this.at.rotations - rotations < 5) {
            this.expect(await this.passes(), 'who is to be remembered does not pass');
            await this.rest();
        }
    }
}

// Is locked and unlocked, and loses single sessions, while others go on.
export class Suspect extends Person {
    async run(...words) {
        const { status, output } = await this.at.command(...words);
        this.expect(status === 0, `latchkey ${words.join(' ')}: ${status} ${output}`);
        return output;
    }

    async beSuspected() {
        if (!(await this.signIn())) return;
        this.expect(await this.passes(), 'does not pass before it is locked');
        await this.run('user', 'lock', this.user.name);
        for (let i = 0; i < 3; i++) this.expect(!(await this.passes()), 'passes although locked');
        const copied = this.cookie;
        let status;
        while (status === undefined && !this.at.isOver) status = await this.trySignIn();
        this.expect(this.at.isOver || status === 403, `sign-in of who is locked: ${status}`);
        await this.run('user', 'unlock', this.user.name);
        this.expect(!(await this.passes(copied)), 'a session came back when its user was unlocked');
        if (!(await this.signIn())) return;
        for (const { id } of JSON.parse(await this.run('session', 'list', this.user.name, '--json'))) {
            await this.run('session', 'revoke', id);
        }
        this.expect(!(await this.passes()), 'passes although its session was revoked');
        this.browser = new Browser(this.at.webs[0].port);
    }
}
