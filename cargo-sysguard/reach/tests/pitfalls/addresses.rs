//! Numbers and functions that pass through data, or behind an address.

use super::*;

#[test]
fn number_passes_in_static_data() {
    let source = "
        static int number = 102;
        __attribute__((noipa)) void set(int value) { number = value; }
        __attribute__((noipa)) void make(void) { call(number); }
        void _start(void) { set(39); set(57); make(); call(60); }";
    assert_calls(&bare(source, &[]), &["exit", "fork", "getpid", "getuid"]);
}

#[test]
fn number_passes_behind_an_address_in_static_data() {
    let source = "
        struct request { int flag; int number; };
        static struct request *request;
        __attribute__((noipa)) void set(struct request *value) { request = value; }
        __attribute__((noipa)) void make(void) { call(request->number); }
        void _start(void) { struct request own = {1, 39}; set(&own); make(); call(60); }";
    assert_calls(&bare(source, &[]), &["exit", "getpid"]);
}

#[test]
fn data_with_an_address_that_is_passed_on_is_unknown() {
    let source = "
        static int number;
        __attribute__((noipa)) void set(int *place) { *place = 39; }
        __attribute__((noipa)) void make(void) { call(number); }
        void _start(void) { set(&number); make(); call(60); }";
    let reach = bare(source, &[]);
    assert_eq!(reasons(&reach), [Why::Number { lost_in: None }]);
}

#[test]
fn number_that_is_changed_behind_an_address_counts() {
    let source = "
        struct request { int flag; int number; };
        __attribute__((noipa)) void change(struct request *it) { it->number = 57; }
        __attribute__((noipa)) void make(struct request *it) { change(it); call(it->number); }
        void _start(void) { struct request own = {1, 39}; make(&own); call(60); }";
    assert_calls(&bare(source, &[]), &["exit", "fork", "getpid"]);
    assert_calls(&bare(source, &["-O0"]), &["exit", "fork", "getpid"]);
}

#[test]
fn function_in_static_data_is_followed() {
    let source = "
        struct calls { long (*three)(long, long); long (*six)(long, long); };
        static long three(long number, long b) { SEEN(b); return call(number); }
        static struct calls calls = {three, three};
        static int other = 1;
        __attribute__((noipa)) long use(struct calls *it) { return it->three(39, 0) + it->six(57, 0); }
        void _start(void) { SEEN(other); use(&calls); calls.six(102, 0); call(60); }";
    for flags in [&["-no-pie"][..], &["-static-pie", "-fpie"]] {
        assert_calls(&bare(source, flags), &["exit", "fork", "getpid", "getuid"]);
    }
}

#[test]
fn function_in_a_table_is_followed() {
    let source = "
        static void first(long number, long b, long c, long d) { SEEN(b); SEEN(c); SEEN(d); call(number); }
        static void second(long number, long b, long c, long d) { SEEN(b); SEEN(c); SEEN(d); call(57); SEEN(number); }
        void (*const volatile table[8])(long, long, long, long) = {first, first, first, first, first, first, first, second};
        volatile int index;
        void _start(void) { table[index](39, 0, 0, 0); call(60); }";
    let stripped = ["-Wl,-s"];
    for flags in [&["-no-pie"][..], &["-static-pie", "-fpie"]] {
        for more in [&[][..], &stripped] {
            assert_calls(&bare(source, &[flags, more].concat()), &["exit", "fork", "getpid"]);
        }
    }
}

#[test]
fn function_with_an_address_that_escapes_is_unknown() {
    let source = "
        struct calls { int flag; void (*make)(long); };
        static void make(long number) { call(number); }
        static struct calls calls = {1, make};
        struct calls copy;
        __attribute__((noipa)) void use(long *place, int count) {
            for (int i = 0; i < count; i++) ((volatile long *)&copy)[i] = place[i];
        }
        void _start(void) { use((long *)&calls, 2); copy.make(39); call(60); }";
    let reach = bare(source, &[]);
    assert_eq!(reasons(&reach), [Why::CalledThroughPointer { function: (0, "make".to_owned()) }]);
}
