# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_popsync_global_optspecs
    string join \n config= state-dir= v/verbose q/quiet json color= h/help V/version
end

function __fish_popsync_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_popsync_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_popsync_using_subcommand
    set -l cmd (__fish_popsync_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c popsync -n "__fish_popsync_needs_command" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_needs_command" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_needs_command" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_needs_command" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_needs_command" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_needs_command" -s V -l version -d 'Print version'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "account" -d 'Set accounts up, look at them, and try them'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "fetch" -d 'Fetch one mailbox, without a configuration file'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "sync" -d 'Sync the accounts of the configuration'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "status" -d 'Show what is known of accounts, without asking a server'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "log" -d 'Show the runs that are recorded, the newest first'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "report" -d 'Write a page about accounts: their health, growth, senders and runs'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "forget" -d 'Forget a mailbox that is no longer in the configuration'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "list" -d 'List the messages on the server of an account'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "mark" -d 'Have large messages retrieved whole by the next sync'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "unmark" -d 'Take back what `popsync mark` said'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "import" -d 'Take over what was downloaded before, so that it does not come again'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "verify" -d 'Hold the stored messages against what is recorded of them'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "export" -d 'Write the stored messages out for other programs'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "probe" -d 'Check a server against the rules, and say what was seen'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "login" -d 'Put the password of an account into the keyring, or sign in'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "logout" -d 'Take the password of an account out of the keyring, or its tokens'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "config" -d 'Check the configuration file, or print an example or its schema'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "schedule" -d 'Print what runs `popsync sync` by the clock, or install it'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "man" -d 'Open a manual page on a terminal; else print it, for `popsync man | man -l -`'
complete -c popsync -n "__fish_popsync_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "add" -d 'Add an account to the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "list" -d 'List the accounts'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "show" -d 'Show what an account is set to, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "test" -d 'Log in, and say what works'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "remove" -d 'Take an account out of the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "rename" -d 'Rename an account, with what is remembered of it'
complete -c popsync -n "__fish_popsync_using_subcommand account; and not __fish_seen_subcommand_from add list show test remove rename help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l name -d 'Name of the account [default: that of the provider]' -r
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l server -d 'Server: pop3s://HOST[:PORT], or pop3:// for STLS [default: found]' -r -f
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l user -d 'User name [default: the address]' -r
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l auth -d 'How to log in [default: user]' -r -f -a "user\t''
plain\t''
login\t''
cram-md5\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-256\t''
scram-sha-256-plus\t''
ntlm\t''
gssapi\t''
xoauth2\t''
oauthbearer\t''
apop\t''
external\t''
auto\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l password-command -d 'Command whose first line of output is the password' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l password-file -d 'File whose first line is the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l client-id -d 'Program\'s number at Microsoft, to sign in there' -r
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l maildir -d 'Maildir to store messages in [default: ~/Mail/NAME]' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l profile -d 'Version of Outlook to imitate [default: outlook-2019]' -r -f -a "outlook-2007\t''
outlook-2010\t''
outlook-2013\t''
outlook-2016\t''
outlook-2019\t''
outlook-2021\t''
outlook-2024\t''
outlook-new\t''
rfc1939\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l ca-file -d 'Trust these certificates (PEM) instead of the built-in roots' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l no-test -d 'Write the account without trying it'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "add" -d 'Add an account to the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the accounts'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show what an account is set to, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "test" -d 'Log in, and say what works'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Take an account out of the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "rename" -d 'Rename an account, with what is remembered of it'
complete -c popsync -n "__fish_popsync_using_subcommand account; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l maildir -d 'Maildir to store messages in; created if missing' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l mbox -d 'mbox to append messages to; created if missing' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l exec -d 'Delivery agent that gets each message on its standard input' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l user -d 'User name, if the URL has none' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l auth -d 'How to log in [default: user]' -r -f -a "user\t''
plain\t''
login\t''
cram-md5\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-256\t''
scram-sha-256-plus\t''
ntlm\t''
gssapi\t''
xoauth2\t''
oauthbearer\t''
apop\t''
external\t''
auto\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l password-command -d 'Command whose first line of output is the password' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l password-file -d 'File whose first line is the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l password-netrc -d 'File in the form of .netrc that has the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l oauth-token-command -d 'Command whose first line of output is an access token' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l profile -d 'Version of Outlook to imitate [default: outlook-2019]' -r -f -a "outlook-2007\t''
outlook-2010\t''
outlook-2013\t''
outlook-2016\t''
outlook-2019\t''
outlook-2021\t''
outlook-2024\t''
outlook-new\t''
rfc1939\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l ca-file -d 'Trust these certificates (PEM) instead of the built-in roots' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l roots -d 'Trust the built-in roots (webpki) or the system\'s [default: webpki]' -r -f -a "webpki\t''
system\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l fingerprint -d 'Accept only the server whose certificate or key has this SHA-256' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l client-cert -d 'Certificate (PEM) to show to a server that asks for one' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l client-key -d 'Its key (PEM), if it is in another file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l min-version -d 'Oldest version of TLS to accept: 1.2 or 1.3 [default: 1.2]' -r -f -a "1.2\t''
1.3\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l server-name -d 'Name in the server\'s certificate, if it is not the one in the URL' -r -f -a "(__fish_print_hostnames)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l tls -d 'off: allow plain text, with pop3:// only' -r -f -a "off\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l proxy -d 'Use a proxy: socks5://[USER@]HOST[:PORT], or http' -r -f
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l proxy-password-file -d 'File whose first line is the password for the proxy' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l socket -d 'Connect to this Unix socket; the URL still names the server' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l source-address -d 'Connect from this address of this computer' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l timeout -d 'Longest single wait for the server [default: 60s]' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l exec-timeout -d 'Time limit of the delivery agent for one message [default: 5m]' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l line-endings -d 'Line ends of stored messages: lf or crlf [default: lf]' -r -f -a "lf\t''
crlf\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l leave-on-server -d 'Keep stored messages on the server: true or false' -r -f -a "true\t''
false\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l remove-after-days -d 'Delete messages on the server this many days after storing them' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l remove-when-deleted-locally -d 'Delete messages on the server that you deleted here: true or false' -r -f -a "true\t''
false\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l max-deletions -d 'Delete at most this many messages of earlier runs, or none [default: 500]' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l headers-only-above -d 'Retrieve only the headers of larger messages' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l header-stubs -d 'Put a stub into the Maildir for such a message: true or false' -r -f -a "true\t''
false\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l max-size -d 'Skip larger messages; they stay on the server' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l max-messages -d 'Retrieve at most this many messages in this run' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l max-octets -d 'Retrieve at most this many octets in this run' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l sessions-per-run -d 'Log in again while new messages come, at most this many times' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l complain-after -d 'Report a server that cannot be reached only after TIME' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l on-new-mail -d 'Program to run after new messages have come' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l on-failure -d 'Program to run after a run has failed' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l same-as -d 'Take over what is remembered of the mailbox under another name' -r
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l dry-run -d 'Say what would be retrieved and deleted, and do neither'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l allow-mass-delete -d 'Delete on the server even what a brake holds back'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l accept-store -d 'Take the store as it is for the one that messages were stored in'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l remember -d 'Keep the typed password in the keyring, once the server took it'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand fetch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -s j -l jobs -d 'Accounts at work at the same time' -r
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l every -d 'Stay, and sync again each TIME' -r
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l same-as -d 'Take over what is remembered of the mailbox under another name' -r
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l dry-run -d 'Say what would be retrieved and deleted, and do neither'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l allow-mass-delete -d 'Delete on the server even what a brake holds back'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l accept-store -d 'Take the store as it is for the one that messages were stored in'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand status" -l max-age -d 'Age of the last good run from which --check is CRITICAL' -r
complete -c popsync -n "__fish_popsync_using_subcommand status" -l metrics -d 'Write figures for Prometheus to FILE; - is standard output' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand status" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand status" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand status" -l all -d 'Show what removed accounts and `popsync fetch` left behind, too'
complete -c popsync -n "__fish_popsync_using_subcommand status" -l check -d 'Say in one line whether all is well, as a monitoring plugin'
complete -c popsync -n "__fish_popsync_using_subcommand status" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand status" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand status" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand log" -s n -l number -d 'Most runs to show' -r
complete -c popsync -n "__fish_popsync_using_subcommand log" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand log" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand log" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand log" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand log" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand log" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand report" -l html -d 'Write the page to FILE; - is standard output' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand report" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand report" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand report" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand report" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand report" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand report" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand forget" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand forget" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand forget" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand forget" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand forget" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand forget" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand list" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand list" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand list" -l local -d 'Show what the last sync left behind, without asking the server'
complete -c popsync -n "__fish_popsync_using_subcommand list" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand list" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand list" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand mark" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand mark" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand mark" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand mark" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand mark" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand mark" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand mark" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand unmark" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand import" -l from -d 'Program that wrote FILE: mpop, getmail, fetchmail, fdm or thunderbird' -r -f -a "mpop\t''
getmail\t''
fetchmail\t''
fdm\t''
thunderbird\t''"
complete -c popsync -n "__fish_popsync_using_subcommand import" -l mailbox -d 'Mailbox to take over, where FILE names it otherwise than the account' -r
complete -c popsync -n "__fish_popsync_using_subcommand import" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand import" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand import" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand import" -l from-store -d 'Recognise what the account\'s Maildir or mbox holds already'
complete -c popsync -n "__fish_popsync_using_subcommand import" -l seed -d 'Treat all that is on the server now as had'
complete -c popsync -n "__fish_popsync_using_subcommand import" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand import" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand import" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l read-data-subset -d 'Read so much of the messages only, such as 5%: another part each time' -r
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l server -d 'Compare with the server\'s list too'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l deep -d 'Download what is stored and on the server, and compare'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l repair -d 'Get again what is missing or damaged, as far as the server has it'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l accept-deletions -d 'Take what is missing as deleted by you, from now on'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand export" -l mbox -d 'One mbox, quoted as mboxrd has it' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand export" -l maildir -d 'A Maildir, with flags' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand export" -l eml -d 'One file for each message, with CRLF, in folders by year' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand export" -l tar -d 'The same in one compressed file (tar.zst), with a folder for each account' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand export" -l since -d 'Only messages of this day or later, such as 2024-01-31' -r
complete -c popsync -n "__fish_popsync_using_subcommand export" -l until -d 'Only messages of this day or earlier' -r
complete -c popsync -n "__fish_popsync_using_subcommand export" -l from -d 'Only messages whose author contains this, in any case' -r
complete -c popsync -n "__fish_popsync_using_subcommand export" -l subject -d 'Only messages whose subject contains this, in any case' -r
complete -c popsync -n "__fish_popsync_using_subcommand export" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand export" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand export" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand export" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand export" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand export" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l user -d 'User name, if the URL has none' -r
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l auth -d 'How to log in [default: user]' -r -f -a "user\t''
plain\t''
login\t''
cram-md5\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-256\t''
scram-sha-256-plus\t''
ntlm\t''
gssapi\t''
xoauth2\t''
oauthbearer\t''
apop\t''
external\t''
auto\t''"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l password-command -d 'Command whose first line of output is the password' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l password-file -d 'File whose first line is the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l password-netrc -d 'File in the form of .netrc that has the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l oauth-token-command -d 'Command whose first line of output is an access token' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l profile -d 'Version of Outlook to imitate [default: outlook-2019]' -r -f -a "outlook-2007\t''
outlook-2010\t''
outlook-2013\t''
outlook-2016\t''
outlook-2019\t''
outlook-2021\t''
outlook-2024\t''
outlook-new\t''
rfc1939\t''"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l ca-file -d 'Trust these certificates (PEM) instead of the built-in roots' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l roots -d 'Trust the built-in roots (webpki) or the system\'s [default: webpki]' -r -f -a "webpki\t''
system\t''"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l fingerprint -d 'Accept only the server whose certificate or key has this SHA-256' -r
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l client-cert -d 'Certificate (PEM) to show to a server that asks for one' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l client-key -d 'Its key (PEM), if it is in another file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l min-version -d 'Oldest version of TLS to accept: 1.2 or 1.3 [default: 1.2]' -r -f -a "1.2\t''
1.3\t''"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l server-name -d 'Name in the server\'s certificate, if it is not the one in the URL' -r -f -a "(__fish_print_hostnames)"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l tls -d 'off: allow plain text, with pop3:// only' -r -f -a "off\t''"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l proxy -d 'Use a proxy: socks5://[USER@]HOST[:PORT], or http' -r -f
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l proxy-password-file -d 'File whose first line is the password for the proxy' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l socket -d 'Connect to this Unix socket; the URL still names the server' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l source-address -d 'Connect from this address of this computer' -r
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l timeout -d 'Longest single wait for the server [default: 60s]' -r
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l deep -d 'Retrieve a few messages too, to check framing and sizes'
complete -c popsync -n "__fish_popsync_using_subcommand probe" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand probe" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand probe" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand login" -l user -d 'User name, if the URL has none' -r
complete -c popsync -n "__fish_popsync_using_subcommand login" -l auth -d 'How to log in [default: user]' -r -f -a "user\t''
plain\t''
login\t''
cram-md5\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-256\t''
scram-sha-256-plus\t''
ntlm\t''
gssapi\t''
xoauth2\t''
oauthbearer\t''
apop\t''
external\t''
auto\t''"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l password-command -d 'Command whose first line of output is the password' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l password-file -d 'File whose first line is the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l password-netrc -d 'File in the form of .netrc that has the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l oauth-token-command -d 'Command whose first line of output is an access token' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l profile -d 'Version of Outlook to imitate [default: outlook-2019]' -r -f -a "outlook-2007\t''
outlook-2010\t''
outlook-2013\t''
outlook-2016\t''
outlook-2019\t''
outlook-2021\t''
outlook-2024\t''
outlook-new\t''
rfc1939\t''"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l ca-file -d 'Trust these certificates (PEM) instead of the built-in roots' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l roots -d 'Trust the built-in roots (webpki) or the system\'s [default: webpki]' -r -f -a "webpki\t''
system\t''"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l fingerprint -d 'Accept only the server whose certificate or key has this SHA-256' -r
complete -c popsync -n "__fish_popsync_using_subcommand login" -l client-cert -d 'Certificate (PEM) to show to a server that asks for one' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l client-key -d 'Its key (PEM), if it is in another file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l min-version -d 'Oldest version of TLS to accept: 1.2 or 1.3 [default: 1.2]' -r -f -a "1.2\t''
1.3\t''"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l server-name -d 'Name in the server\'s certificate, if it is not the one in the URL' -r -f -a "(__fish_print_hostnames)"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l tls -d 'off: allow plain text, with pop3:// only' -r -f -a "off\t''"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l proxy -d 'Use a proxy: socks5://[USER@]HOST[:PORT], or http' -r -f
complete -c popsync -n "__fish_popsync_using_subcommand login" -l proxy-password-file -d 'File whose first line is the password for the proxy' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l socket -d 'Connect to this Unix socket; the URL still names the server' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l source-address -d 'Connect from this address of this computer' -r
complete -c popsync -n "__fish_popsync_using_subcommand login" -l timeout -d 'Longest single wait for the server [default: 60s]' -r
complete -c popsync -n "__fish_popsync_using_subcommand login" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand login" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand login" -l no-test -d 'Keep the password without trying it'
complete -c popsync -n "__fish_popsync_using_subcommand login" -l browser -d 'Sign in through a browser on this machine'
complete -c popsync -n "__fish_popsync_using_subcommand login" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand login" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand login" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l user -d 'User name, if the URL has none' -r
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l auth -d 'How to log in [default: user]' -r -f -a "user\t''
plain\t''
login\t''
cram-md5\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-256\t''
scram-sha-256-plus\t''
ntlm\t''
gssapi\t''
xoauth2\t''
oauthbearer\t''
apop\t''
external\t''
auto\t''"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l password-command -d 'Command whose first line of output is the password' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l password-file -d 'File whose first line is the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l password-netrc -d 'File in the form of .netrc that has the password' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l oauth-token-command -d 'Command whose first line of output is an access token' -r -f -a "(__fish_complete_command)"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l profile -d 'Version of Outlook to imitate [default: outlook-2019]' -r -f -a "outlook-2007\t''
outlook-2010\t''
outlook-2013\t''
outlook-2016\t''
outlook-2019\t''
outlook-2021\t''
outlook-2024\t''
outlook-new\t''
rfc1939\t''"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l ca-file -d 'Trust these certificates (PEM) instead of the built-in roots' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l roots -d 'Trust the built-in roots (webpki) or the system\'s [default: webpki]' -r -f -a "webpki\t''
system\t''"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l fingerprint -d 'Accept only the server whose certificate or key has this SHA-256' -r
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l client-cert -d 'Certificate (PEM) to show to a server that asks for one' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l client-key -d 'Its key (PEM), if it is in another file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l min-version -d 'Oldest version of TLS to accept: 1.2 or 1.3 [default: 1.2]' -r -f -a "1.2\t''
1.3\t''"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l server-name -d 'Name in the server\'s certificate, if it is not the one in the URL' -r -f -a "(__fish_print_hostnames)"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l tls -d 'off: allow plain text, with pop3:// only' -r -f -a "off\t''"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l proxy -d 'Use a proxy: socks5://[USER@]HOST[:PORT], or http' -r -f
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l proxy-password-file -d 'File whose first line is the password for the proxy' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l socket -d 'Connect to this Unix socket; the URL still names the server' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l source-address -d 'Connect from this address of this computer' -r
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l timeout -d 'Longest single wait for the server [default: 60s]' -r
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand logout" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand logout" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand logout" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -f -a "check" -d 'Report every mistake in the configuration file'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -f -a "example" -d 'Print a configuration file with every key, explained'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -f -a "schema" -d 'Print the JSON Schema of the configuration file'
complete -c popsync -n "__fish_popsync_using_subcommand config; and not __fish_seen_subcommand_from check example schema help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from example" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Report every mistake in the configuration file'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "example" -d 'Print a configuration file with every key, explained'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print the JSON Schema of the configuration file'
complete -c popsync -n "__fish_popsync_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l every -d 'Time from one run to the next' -r
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l install -d 'Put it in place for this user, and start it'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l cron -d 'A crontab line, also where there is systemd'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l systemd -d 'Units of systemd, also where it does not run'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand schedule" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand completions" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand completions" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand completions" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand completions" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand completions" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand man" -l config -d 'Configuration file' -r -F
complete -c popsync -n "__fish_popsync_using_subcommand man" -l state-dir -d 'Folder for what popsync remembers' -r -f -a "(__fish_complete_directories)"
complete -c popsync -n "__fish_popsync_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c popsync -n "__fish_popsync_using_subcommand man" -l list -d 'List the pages'
complete -c popsync -n "__fish_popsync_using_subcommand man" -s v -l verbose -d 'Log each step; twice: the wire too, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand man" -s q -l quiet -d 'Print nothing but errors'
complete -c popsync -n "__fish_popsync_using_subcommand man" -l json -d 'Print one JSON object per line on standard output'
complete -c popsync -n "__fish_popsync_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "account" -d 'Set accounts up, look at them, and try them'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "fetch" -d 'Fetch one mailbox, without a configuration file'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "sync" -d 'Sync the accounts of the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "status" -d 'Show what is known of accounts, without asking a server'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "log" -d 'Show the runs that are recorded, the newest first'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "report" -d 'Write a page about accounts: their health, growth, senders and runs'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "forget" -d 'Forget a mailbox that is no longer in the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "list" -d 'List the messages on the server of an account'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "mark" -d 'Have large messages retrieved whole by the next sync'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "unmark" -d 'Take back what `popsync mark` said'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "import" -d 'Take over what was downloaded before, so that it does not come again'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "verify" -d 'Hold the stored messages against what is recorded of them'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "export" -d 'Write the stored messages out for other programs'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "probe" -d 'Check a server against the rules, and say what was seen'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "login" -d 'Put the password of an account into the keyring, or sign in'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "logout" -d 'Take the password of an account out of the keyring, or its tokens'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "config" -d 'Check the configuration file, or print an example or its schema'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "schedule" -d 'Print what runs `popsync sync` by the clock, or install it'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "completions" -d 'Print completions for a shell'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "man" -d 'Open a manual page on a terminal; else print it, for `popsync man | man -l -`'
complete -c popsync -n "__fish_popsync_using_subcommand help; and not __fish_seen_subcommand_from account fetch sync status log report forget list mark unmark import verify export probe login logout config schedule completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from account" -f -a "add" -d 'Add an account to the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from account" -f -a "list" -d 'List the accounts'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from account" -f -a "show" -d 'Show what an account is set to, without secrets'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from account" -f -a "test" -d 'Log in, and say what works'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from account" -f -a "remove" -d 'Take an account out of the configuration'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from account" -f -a "rename" -d 'Rename an account, with what is remembered of it'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Report every mistake in the configuration file'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "example" -d 'Print a configuration file with every key, explained'
complete -c popsync -n "__fish_popsync_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "schema" -d 'Print the JSON Schema of the configuration file'
