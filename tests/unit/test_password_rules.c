/* What a new password must be like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "auth/password_rules.h"
#include "crypto/random.h"
#include "native.h"

#define ADVICE "Three or four words that have nothing to do with each other make a good one."

static char site_name[] = "Example Shop";
static struct config config;
static struct user alice;

static int set_up(void **state)
{
    (void)state;
    config = (struct config){.site.name = site_name, .password.min_length = 12};
    alice = (struct user){.name = "alice99", .display = "Alice Liddell"};
    return 0;
}

static struct {
    enum verdict verdict;
    enum password_strength strength;
    char sentence[PASSWORD_SENTENCE_MAX];
} answer;

static bool check(struct text password)
{
    memset(&answer, 0x5a, sizeof answer);
    answer.verdict =
        password_rules_check(&config, password, &alice, &answer.strength, answer.sentence);
    assert_non_null(memchr(answer.sentence, '\0', sizeof answer.sentence));
    if (answer.verdict == ALLOW) {
        assert_string_equal(answer.sentence, "");
        assert_true(answer.strength >= STRENGTH_FAIR && answer.strength <= STRENGTH_STRONG);
    } else {
        assert_int_equal(answer.verdict, DENY);
        assert_int_equal(answer.strength, STRENGTH_WEAK);
        assert_true(strlen(answer.sentence) > 20);
    }
    return answer.verdict == ALLOW;
}

static void expect_refusal(struct text password, const char *why)
{
    if (check(password) || strncmp(answer.sentence, why, strlen(why)) != 0) {
        fail_msg("\"%.*s\": \"%s\" and not \"%s\"", (int)password.len, password.data,
                 answer.sentence, why);
    }
}

static void what_is_tried_first_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const char first[] = "This is one of the passwords that are tried first. " ADVICE;
    static const char words[] = "It is made of words and numbers that are tried first. " ADVICE;
    static const char row[] =
        "It is mostly a row of letters or digits that follow each other. " ADVICE;
    static const char keys[] = "It is mostly a row of keys. " ADVICE;
    static const char repeat[] = "It mostly repeats itself. " ADVICE;
    static const struct {
        const char *password, *why;
    } cases[] = {
        {"password1234", words},
        {"123456789012", row},
        {"qwertyuiop12", words},
        {"unbelievable", first},
        {"aaaaaaaaaaaa", repeat},
        {"letmeinletmein", repeat},
        {"iloveyou1234", words},
        {"Password123!", words},
        {"abcdefghijkl", row},
        {"passwordpassword", repeat},
        {"trustno1trustno1", words},
        {"1234567890123", row},
        {"superman1234", words},
        {"administrator", first},
        {"P@ssw0rd1234", words},
        {"            ", repeat},
        {"............", repeat},
        {"dlrowoollehdrowssap", words}, /* backwards */
        {"12.03.1984--", "It is mostly a date. " ADVICE},
        {"lkjhgfdsapoi", words},
        {"!@#$%^&*()_+", keys},
        {"\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
         "\xc3\xb6",
         repeat},
        {"парольпароль", "It "},
        {"парольпароль123", "It "},
        {"йцукенйцукен", "It "},
        {"密码密码密码密码密码密码", "It "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refusal(text_of(cases[i].password), cases[i].why);
    }
    config.password.min_length = 8;
    expect_refusal(TEXT("12345678910"), row);
}

static void fewer_than_four_different_characters_are_refused(void **state)
{
    (void)state;
    static const char repeat[] = "It mostly repeats itself. " ADVICE;
    char longest[PASSWORD_BYTES_MAX];
    for (size_t i = 0; i < sizeof longest; i++) {
        longest[i] = "abc"[i * i % 7 % 3];
    }
    expect_refusal((struct text){longest, sizeof longest}, repeat);
    expect_refusal(TEXT("abaabbabbabaababbbab"), repeat);
    expect_refusal(TEXT("0110100110010110100101100110"), repeat);
    /* Characters, not bytes: three, of seven bytes that differ. */
    expect_refusal(TEXT("\xc3\xbc\xe5\xaf\x86\xe7\xa0\x81\xe5\xaf\x86\xc3\xbc\xc3\xbc\xe7\xa0\x81"
                        "\xe5\xaf\x86\xe7\xa0\x81\xe7\xa0\x81\xc3\xbc\xe5\xaf\x86\xc3\xbc"),
                   repeat);
    assert_true(check(TEXT("xqxxkqzkxzzqkkxqzxkq"))); /* four */
}

static void passwords_of_mostly_other_alphabets_are_called_fair_at_best(void **state)
{
    (void)state;
    assert_true(check(TEXT("зебра труба орхидея фонарь")));
    assert_int_equal(answer.strength, STRENGTH_FAIR);
    assert_true(check(TEXT("zebra trumpet orchid труба")));
    assert_int_equal(answer.strength, STRENGTH_STRONG);
    /* What is not measured does not count here either. */
    char bytes[300];
    memset(bytes, 'z', sizeof bytes);
    for (size_t i = 0; i < 100; i += 2) {
        memcpy(bytes + i, (const char[]){'\xd0', (char)(0xb0 + i * i % 13)}, 2);
    }
    assert_true(check((struct text){bytes, sizeof bytes}));
    assert_int_equal(answer.strength, STRENGTH_FAIR);
}

static void passwords_that_nobody_guesses_pass(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        enum password_strength strength;
    } cases[] = {
        {"correct horse battery staple", STRENGTH_STRONG},
        {"another long sentence of words", STRENGTH_STRONG},
        {"a sentence for the longest name", STRENGTH_STRONG},
        {"mein Hut der hat drei Ecken", STRENGTH_STRONG},
        {"gr\xc3\xbcne \xc3\x84pfel schmecken gut", STRENGTH_STRONG},
        {"xkqvhwzpmtjb", STRENGTH_GOOD},
        {"a8f03c9e71d25b4", STRENGTH_STRONG},
        {"bus lemon eleven", STRENGTH_GOOD},
        {"correct horse", STRENGTH_FAIR},
        {"zebra\ttrumpet\x01orchid\x7f", STRENGTH_GOOD}, /* whatever the keys are */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!check(text_of(cases[i].password)) || answer.strength != cases[i].strength) {
            fail_msg("%s: %s: %s", cases[i].password, password_strength_word(answer.strength),
                     answer.sentence);
        }
    }
}

/* Such as stand in lists of leaked passwords, of 12 or more characters. */
static const char *const leaked[] = {
    "123456789123",    "123123123123",     "1q2w3e4r5t6y",     "1qaz2wsx3edc",
    "qwertyuiop123",   "1234567890-=",     "qazwsxedcrfv",     "q1w2e3r4t5y6",
    "zaq12wsxcde3",    "111111111111",     "000000000000",     "0123456789abc",
    "123qweasdzxc",    "qweasdzxc123",     "asdfghjkl123",     "zxcvbnm12345",
    "qwerty123456",    "password123456",   "passw0rd1234",     "Passw0rd123!",
    "Password1234",    "Password12345",    "Password2023!",    "Summer2023!!",
    "Winter2024!!",    "Welcome12345",     "welcome12345",     "changeme1234",
    "letmein12345",    "adminadmin12",     "admin1234567",     "administrator1",
    "iloveyou12345",   "iloveyouforever",  "iloveyousomuch",   "ilovejesus123",
    "jesuschrist1",    "jesusislord1",     "jesuslovesme",     "princess1234",
    "sunshine1234",    "football1234",     "baseball1234",     "basketball12",
    "michaeljordan",   "cristianoronaldo", "manchesterunited", "liverpoolfc1",
    "chelseafc123",    "arsenal12345",     "realmadrid123",    "barcelona123",
    "dragon123456",    "monkey123456",     "master123456",     "shadow123456",
    "superman12345",   "batman123456",     "spiderman123",     "pokemon12345",
    "starwars1234",    "harrypotter1",     "harrypotter123",   "minecraft123",
    "fuckyou12345",    "motherfucker",     "motherfucker1",    "blink182blink182",
    "slipknot6661",    "metallica123",     "nirvana12345",     "linkinpark123",
    "myspace12345",    "computer1234",     "internet1234",     "samsung12345",
    "whatever1234",    "babygirl1234",     "chocolate123",     "butterfly123",
    "christopher1",    "alexander123",     "elizabeth123",     "maximilian12",
    "stephanie123",    "charlotte123",     "qwertzuiop12",     "qwertzuiop123",
    "passwort1234",    "Passwort123!",     "hallohallo12",     "geheimgeheim",
    "ichliebedich1",   "schatz123456",     "fussball1234",     "azertyuiop12",
    "motdepasse12",    "jetaime12345",     "contrasena12",     "teamo1234567",
    "tequieromucho",   "estrellita12",     "juventus1234",     "forzamilan12",
    "secretsecret",    "secret123456",     "testtesttest",     "test12345678",
    "testpassword",    "defaultpassword",  "mypassword123",    "thisismypassword",
    "thepassword1",    "nopassword12",     "yourpassword",     "letmeinplease",
    "opensesame12",    "abcd12345678",     "abc123abc123",     "abcabcabcabc",
    "a1b2c3d4e5f6",    "aa1234567890",     "aaaaaa111111",     "112233445566",
    "121212121212",    "123321123321",     "123654789123",     "987654321987",
    "987654321012",    "098765432109",     "147258369147",     "159753159753",
    "135792468013",    "741852963741",     "101010101010",     "696969696969",
    "314159265358",    "qwerqwerqwer",     "asdfasdfasdf",     "asdasdasdasd",
    "zxczxczxczxc",    "qweqweqweqwe",     "poiuytrewq12",     "mnbvcxzlkjhg",
    "lkjhgfdsapoi",    "1a2b3c4d5e6f",     "qwer1234asdf",     "1qazxsw23edc",
    "zaqwsxcderfv",    "!QAZ2wsx3edc",     "!@#$%^&*()_+",     "P@ssword1234",
    "P@$$w0rd1234",    "p4ssw0rd1234",     "january12345",     "december2023",
    "November2023",    "september2001",    "monday123456",     "supercalifragilisticexpialidocious",
    "godisgood123",    "blessed12345",     "heaven123456",     "freedom12345",
    "business1234",    "corvette1234",     "mustang12345",     "yankees12345",
    "lakers123456",    "dallascowboys",    "steelers1234",     "patriots1234",
    "redskins1234",    "raidernation",     "correcthorse",     "theforceiswithyou",
    "tobeornottobe",   "abracadabra1",     "hellokitty12",     "hello1234567",
    "helloworld12",    "helloworld123",    "goodmorning1",     "hakunamatata",
    "lovelovelove",    "loveyou12345",     "iloveyou2023",     "iloveyoubaby",
    "forever12345",    "unforgettable",    "international",    "professional",
    "photography1",    "construction",     "california12",     "pennsylvania",
    "massachusetts",   "newyorkcity1",     "switzerland1",     "marlboro1234",
    "budweiser123",    "jackdaniels1",     "heineken1234",     "mercedesbenz",
    "lamborghini1",    "volkswagen12",     "playstation3",     "callofduty12",
    "worldofwarcraft", "counterstrike",    "finalfantasy7",    "dragonballz1",
    "naruto123456",    "narutouzumaki",
};

/* The same, but none of these was looked at when the common words were chosen. */
static const char *const unseen[] = {
    "sunshine2020",  "Summer2019!!",     "ilovemyfamily",  "ilovemymom123",        "angelina1234",
    "gabriella123",  "jennifer1234",     "qwerty654321",   "987654321abc",         "abc987654321",
    "1234512345123", "aaa111bbb222",     "password!@#$",   "Password1!Password1!", "Spring2024!!",
    "Autumn2022!!",  "Company12345",     "Welcome2024!",   "Qwerty123456!",        "Admin@123456",
    "root12345678",  "letmeinnow12",     "nevergiveup1",   "neverforget1",         "onelove12345",
    "bestfriends4",  "bestfriends4ever", "friendsforever", "mylovelywife",         "familyfirst1",
    "sweetheart12",  "cutiepie1234",     "purplerain12",   "blackbird123",         "skywalker123",
    "darthvader12",  "gandalf12345",     "hogwarts1234",   "slytherin123",         "thunder12345",
    "lightning123",  "hurricane123",     "tottenham123",   "evertonfc123",         "celtic1888888",
    "bayernmunich",  "borussia1909",     "galatasaray1",   "fenerbahce1907",       "besiktas1903",
    "123abc123abc",  "1111222233334444", "147852369147",   "789456123789",         "zxcvbnmasdfg",
    "asdfghjklqwe",  "qwertyasdfgh",     "poiuyt098765",   "Hello123456!",         "jesus4life12",
    "godbless1234",  "lovemylife12",     "michelle1234",   "patricia1234",         "australia123",
    "argentina123",  "indonesia123",     "volleyball12",   "snowboarding",         "skateboard12",
};

static size_t count_passing(const char *const *passwords, size_t count)
{
    size_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        if (check(text_of(passwords[i]))) {
            passed++;
            print_message("passes: %s\n", passwords[i]);
        }
    }
    return passed;
}

static void leaked_passwords_are_refused(void **state)
{
    (void)state;
    size_t count = sizeof leaked / sizeof leaked[0];
    assert_true(count_passing(leaked, count) * 100 <= count * 3);
    count = sizeof unseen / sizeof unseen[0];
    assert_true(count_passing(unseen, count) * 100 <= count * 10);
}

static void what_programs_draw_passes(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        uint8_t bytes[15];
        char letters[13] = "";
        char digits[16] = "";
        assert_int_equal(random_fill(bytes, sizeof bytes), OK);
        for (size_t k = 0; k < 12; k++) {
            letters[k] = (char)('a' + bytes[k] % 26);
        }
        for (size_t k = 0; k < 15; k++) {
            digits[k] = "0123456789abcdef"[bytes[k] & 15];
        }
        assert_true(check(text_of(digits)));
        if (!check(text_of(letters))) {
            print_message("%s: once in ten thousand times\n", letters);
        }
    }
}

static void length_is_counted_in_characters(void **state)
{
    (void)state;
    static const char short_words[] = "It is too short: at least 12 characters. " ADVICE;
    expect_refusal(TEXT(""), short_words);
    expect_refusal((struct text){NULL, 0}, short_words);
    expect_refusal(TEXT("xkqvhwzpmtj"), short_words);
    expect_refusal(TEXT("x\xc3\xa4q\xc3\xb6hwzpmtj"), short_words); /* 13 bytes */
    assert_true(check(TEXT("x\xc3\xa4q\xc3\xb6hwzpmtjb")));
    config.password.min_length = 13;
    expect_refusal(TEXT("xkqvhwzpmtjb"), "It is too short: at least 13 characters. ");
    config.password.min_length = 8;
    assert_true(check(TEXT("xkqvhwzp")));
}

/* Words that no list has, one after the other. */
static void fill(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = "zebra trumpet orchid lantern "[i % 29];
    }
}

static void the_longest_password_passes_and_one_byte_more_does_not(void **state)
{
    (void)state;
    char longest[PASSWORD_BYTES_MAX + 1];
    fill(longest, sizeof longest);
    assert_true(check((struct text){longest, PASSWORD_BYTES_MAX}));
    assert_int_equal(answer.strength, STRENGTH_STRONG);
    expect_refusal((struct text){longest, sizeof longest},
                   "It is too long: at most 1024 bytes. Choose a shorter one.");
}

static void a_character_cut_in_two_where_the_look_ends_does_no_harm(void **state)
{
    (void)state;
    char bytes[110];
    fill(bytes, sizeof bytes);
    memcpy(bytes + 39, "\xf0\x9f\x94\x91", 4);
    assert_true(check((struct text){bytes, sizeof bytes}));
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;
    static const struct text cases[] = {
        TEXT_INIT("zebra trumpet\0orchid"), TEXT_INIT("zebra trumpet orchid\0"),
        TEXT_INIT("zebra trumpet\xff"),     TEXT_INIT("\xc0\xaf zebra trumpet"),
        TEXT_INIT("zebra trumpet \xc3"),    TEXT_INIT("\xed\xa0\x80 zebra trumpet"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refusal(cases[i], "It holds bytes that are no text (UTF-8). Type it by hand.");
    }
}

static void names_are_refused_in_either_case_and_direction(void **state)
{
    (void)state;
    static const char user[] = "It contains your user name. " ADVICE;
    static const char name[] = "It contains your name. " ADVICE;
    static const char site[] = "It contains the name of this site. " ADVICE;
    static const struct {
        const char *password, *why;
    } cases[] = {
        {"zebra alice99 trumpet orchid", user},
        {"alice99zebra trumpet orchid", user},
        {"zebra trumpet orchidALICE99", user},
        {"zebra 99ecila trumpet orchid", user},
        {"zebra aLiCe LiDdElL orchid", name},
        {"zebra aliceliddell orchid", name},
        {"zebra lleddil ecila orchid", name},
        {"zebra lleddilecila orchid", name},
        {"zebra example shop orchid", site},
        {"zebra ExampleShop orchid", site},
        {"zebra pohSelpmaxE orchid", site},
        {"alice99alice99", user},
        {"exampleshop!", site},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refusal(text_of(cases[i].password), cases[i].why);
    }
    assert_true(check(TEXT("zebra alice9 trumpet liddell example orchid")));
}

static void a_name_turned_around_keeps_its_characters(void **state)
{
    (void)state;
    (void)snprintf(alice.display, sizeof alice.display, "J\xc3\xb6rg");
    expect_refusal(TEXT("zebra J\xc3\xb6rg trumpet orchid"), "It contains your name.");
    expect_refusal(TEXT("zebra gr\xc3\xb6j trumpet orchid"), "It contains your name.");
}

static void names_in_disguise_and_alone_count_little(void **state)
{
    (void)state;
    (void)snprintf(alice.display, sizeof alice.display, "Alice Zorglub");
    expect_refusal(TEXT("z0rglubz0rglub"), "It ");
    expect_refusal(TEXT("zorglub12345"), "It ");
    expect_refusal(TEXT("Zorglub2024!"), "It ");
}

static void names_of_less_than_three_characters_are_in_everything(void **state)
{
    (void)state;
    static char brief[] = "\xc3\xa4m";
    config.site.name = brief;
    alice = (struct user){.name = "ze", .display = "or"};
    assert_true(check(TEXT("zebra trumpet orchid \xc3\xa4m")));
    (void)snprintf(alice.name, sizeof alice.name, "zeb");
    expect_refusal(TEXT("zebra trumpet orchid"), "It contains your user name.");
    alice = (struct user){.name = "", .display = "  "};
    assert_true(check(TEXT("zebra   trumpet orchid")));
}

static void without_a_user_the_site_is_known_all_the_same(void **state)
{
    (void)state;
    enum verdict verdict = password_rules_check(&config, TEXT("zebra alice99 trumpet"), NULL,
                                                &answer.strength, answer.sentence);
    assert_int_equal(verdict, ALLOW);
    verdict = password_rules_check(&config, TEXT("zebra example shop"), NULL, &answer.strength,
                                   answer.sentence);
    assert_int_equal(verdict, DENY);
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    static char longest_site[101];
    char password[PASSWORD_BYTES_MAX];
    memset(longest_site, 's', sizeof longest_site - 1);
    memset(alice.name, 'u', sizeof alice.name - 1);
    for (size_t i = 0; i + 1 < sizeof alice.display; i++) {
        alice.display[i] = i % 4 == 3 ? ' ' : (char)('a' + i % 26); /* 32 words */
    }
    config.site.name = longest_site;
    fill(password, sizeof password);
    assert_true(check((struct text){password, sizeof password}));
    memcpy(password + 500, alice.display, strlen(alice.display));
    expect_refusal((struct text){password, sizeof password}, "It contains your name.");
    memcpy(password + 500, alice.name, strlen(alice.name));
    expect_refusal((struct text){password, sizeof password}, "It contains your user name.");
}

static void the_sentence_says_nothing_of_the_password(void **state)
{
    (void)state;
    expect_refusal(TEXT("unbelievable"), "");
    assert_null(strstr(answer.sentence, "unbelievable"));
    expect_refusal(TEXT("Wachtwoord99"), "");
    assert_null(strstr(answer.sentence, "achtwoord"));
    expect_refusal(TEXT("alice99zebra trumpet orchid"), "");
    assert_null(strstr(answer.sentence, "alice99"));
    assert_null(strstr(answer.sentence, "%"));
}

/* The worst that was found in looking for it, and bytes of all kinds: none takes long. */
static void time_is_bounded_whatever_comes(void **state)
{
    (void)state;
    skip_unless_native("speed");
    char worst[PASSWORD_BYTES_MAX];
    clock_t begin = clock();
    for (int kind = 0; kind < 5; kind++) {
        static const char *const patterns[] = {"aA", "19", "alice9", "s3$5@4i1!|",
                                               "3232323232123232323232323232323232353232"};
        size_t len = strlen(patterns[kind]);
        for (size_t i = 0; i < sizeof worst; i++) {
            worst[i] = patterns[kind][i % len];
        }
        for (int i = 0; i < 5; i++) {
            (void)check((struct text){worst, sizeof worst});
        }
    }
    assert_true(clock() - begin < 2 * CLOCKS_PER_SEC); /* many times what it takes */
}

static void any_bytes_get_an_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[200];
        assert_int_equal(random_fill(bytes, sizeof bytes), OK);
        for (size_t k = 1; k < sizeof bytes && i % 2 == 0; k++) {
            bytes[k] &= 0x7f;
        }
        (void)check((struct text){(const char *)bytes + 1, bytes[0] % 199});
    }
}

static void strengths_have_words(void **state)
{
    (void)state;
    assert_string_equal(password_strength_word(STRENGTH_WEAK), "weak");
    assert_string_equal(password_strength_word(STRENGTH_FAIR), "fair");
    assert_string_equal(password_strength_word(STRENGTH_GOOD), "good");
    assert_string_equal(password_strength_word(STRENGTH_STRONG), "strong");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_tried_first_is_refused_with_its_reason),
        TEST(fewer_than_four_different_characters_are_refused),
        TEST(passwords_of_mostly_other_alphabets_are_called_fair_at_best),
        TEST(passwords_that_nobody_guesses_pass),
        TEST(leaked_passwords_are_refused),
        TEST(what_programs_draw_passes),
        TEST(length_is_counted_in_characters),
        TEST(the_longest_password_passes_and_one_byte_more_does_not),
        TEST(a_character_cut_in_two_where_the_look_ends_does_no_harm),
        TEST(what_is_no_text_is_refused),
        TEST(names_are_refused_in_either_case_and_direction),
        TEST(a_name_turned_around_keeps_its_characters),
        TEST(names_in_disguise_and_alone_count_little),
        TEST(names_of_less_than_three_characters_are_in_everything),
        TEST(without_a_user_the_site_is_known_all_the_same),
        TEST(the_longest_names_fit),
        TEST(the_sentence_says_nothing_of_the_password),
        TEST(time_is_bounded_whatever_comes),
        TEST(any_bytes_get_an_answer),
        TEST(strengths_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
